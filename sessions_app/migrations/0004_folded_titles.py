"""Titles folded for search, participants by agent. Cost for 1,000 accounts: each table of sessions is
written anew, about 1 s for 100,000 rows; an index over the participants that are agents.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('agent_sessions', '0003_day_counts'),
        ('principals', '0003_views_and_audit'),
    ]

    operations = [
        migrations.AddField(
            model_name='session',
            name='folded_title',
            field=models.GeneratedField(db_persist=True, expression=models.Func(models.F('title'), function='public.bw_fold'), output_field=models.TextField()),
        ),
        migrations.AddIndex(
            model_name='participant',
            index=models.Index(condition=models.Q(('agent__isnull', False)), fields=['agent', 'session'], name='participant_by_agent'),
        ),
    ]
