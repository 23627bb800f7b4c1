"""External ids of turns. Cost for 1,000 accounts: two columns of nulls and an empty index each, about
0.1 s; the index reads the messages of an account once.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('agent_sessions', '0004_folded_titles'),
        ('principals', '0004_merging'),
    ]

    operations = [
        migrations.AddField(
            model_name='message',
            name='agent',
            field=models.UUIDField(help_text="The session's, beside an external id.", null=True),
        ),
        migrations.AddField(
            model_name='message',
            name='external_id',
            field=models.CharField(help_text='platform:chat:id of a turn, through /inbound only.', max_length=600, null=True),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.UniqueConstraint(condition=models.Q(('external_id__isnull', False)), fields=('agent', 'external_id'), name='message_external_unique'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.CheckConstraint(condition=models.Q(('external_id', None), ('agent__isnull', False), _connector='OR'), name='message_external_with_agent'),
        ),
    ]
