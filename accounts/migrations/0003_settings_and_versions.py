"""Settings of accounts and the versions of their policies. Cost for 1,000 accounts: none,
the tables are public and small.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_functions'),
    ]

    operations = [
        migrations.AddField(
            model_name='account',
            name='settings',
            field=models.JSONField(default=dict, help_text='What differs from the defaults in accounts/settings.py.'),
        ),
        migrations.CreateModel(
            name='PolicyVersion',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('version', models.PositiveIntegerField()),
                ('isolate_user_scope_by_agent', models.BooleanField()),
                ('isolate_agent_scope_by_user', models.BooleanField()),
                ('sessions_visible_to', models.CharField(max_length=16)),
                ('reason', models.TextField(blank=True)),
                ('updated_by', models.UUIDField(help_text='A User of the account; null: an operator.', null=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='policy_versions', to='accounts.account')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('account', 'version'), name='policy_version_once')],
            },
        ),
    ]
