"""First tables of the app. Cost for 1,000 accounts: none, they are made with it."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import uuid_utils.compat
from django.db import migrations, models


# Statement by statement: a sharded table takes each of them on its own.
APPEND_ONLY = [
    f"""
    CREATE OR REPLACE TRIGGER audit_append_only_{moment} BEFORE {event} ON principals_auditevent
    FOR EACH {unit} EXECUTE FUNCTION public.bw_refuse_change()
    """
    for moment, event, unit in (
        ("rows", "UPDATE OR DELETE", "ROW"),
        ("table", "TRUNCATE", "STATEMENT"),
    )
]


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Agent',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('agent_id', models.CharField(max_length=64)),
                ('display_name', models.CharField(blank=True, max_length=200)),
                ('memory_system', models.CharField(choices=[('summarization', 'Summarization'), ('structured', 'Structured')], default='summarization', max_length=16)),
                ('session_scope', models.CharField(choices=[('global', 'Global'), ('per_sender', 'Per Sender')], default='global', max_length=16)),
                ('registered_by', models.UUIDField(help_text='The User who first named it.', null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('agent_id'), name='agent_id_unique'), models.CheckConstraint(condition=models.Q(('memory_system__in', ['summarization', 'structured'])), name='agent_memory_system_valid'), models.CheckConstraint(condition=models.Q(('session_scope__in', ['global', 'per_sender'])), name='agent_session_scope_valid')],
            },
        ),
        migrations.CreateModel(
            name='AuditEvent',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('action', models.CharField(max_length=64)),
                ('actor', models.UUIDField(help_text='The real User; null: a job or an operator.', null=True)),
                ('actor_role', models.CharField(max_length=8)),
                ('actor_key', models.UUIDField(null=True)),
                ('acting_as', models.UUIDField(help_text='The simulated User, if any.', null=True)),
                ('target_type', models.CharField(max_length=32)),
                ('target', models.UUIDField(null=True)),
                ('data', models.JSONField(default=dict, help_text='UUIDs and counts; never text or names.')),
                ('request_id', models.CharField(default='', max_length=64)),
            ],
            options={
                'indexes': [models.Index(fields=['-created_at', '-id'], name='audit_newest'), models.Index(fields=['target', '-created_at'], name='audit_by_target')],
            },
        ),
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('user_id', models.CharField(max_length=64)),
                ('display_name', models.CharField(blank=True, max_length=200)),
                ('role', models.CharField(choices=[('admin', 'Admin'), ('user', 'User')], default='user', max_length=8)),
                ('is_default', models.BooleanField(default=False)),
                ('is_active', models.BooleanField(default=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('user_id'), name='user_id_unique'), models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('is_default',), name='user_one_default'), models.CheckConstraint(condition=models.Q(('role__in', ['admin', 'user'])), name='user_role_valid'), models.CheckConstraint(condition=models.Q(('is_default', False), models.Q(('is_active', True), ('role', 'user')), _connector='OR'), name='user_default_plain')],
            },
        ),
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('key_id', models.CharField(max_length=16)),
                ('secret_hash', models.BinaryField(help_text='HMAC-SHA256 under the pepper.', max_length=32)),
                ('pepper_id', models.CharField(max_length=16)),
                ('name', models.CharField(default='default', max_length=100)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16), size=None)),
                ('expires_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
                ('last_used_at', models.DateTimeField(help_text='Written at most once a minute.', null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='keys', to='principals.user')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('key_id',), name='key_id_unique'), models.UniqueConstraint(condition=models.Q(('revoked_at', None)), fields=('user', 'name'), name='key_name_unique'), models.CheckConstraint(condition=models.Q(('scopes__contained_by', ['read', 'write', 'gateway', 'manage'])), name='key_scopes_valid')],
            },
        ),
        migrations.RunSQL(APPEND_ONLY[0], migrations.RunSQL.noop),
        migrations.RunSQL(APPEND_ONLY[1], migrations.RunSQL.noop),
    ]
