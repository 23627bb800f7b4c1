"""First tables of the app. Cost for 1,000 accounts: none, they are made with it."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('principals', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Session',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('session_id', models.CharField(max_length=128)),
                ('thread_key', models.CharField(max_length=255, null=True)),
                ('title', models.CharField(blank=True, max_length=300)),
                ('state', models.CharField(choices=[('active', 'Active'), ('idle', 'Idle'), ('ended', 'Ended')], default='active', max_length=8)),
                ('message_count', models.PositiveIntegerField(default=0)),
                ('pending_tokens', models.PositiveBigIntegerField(default=0, help_text='Estimated tokens of the messages that no archive covers.')),
                ('last_activity_at', models.DateTimeField(help_text='True time of the last message.')),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('metadata', models.JSONField(default=dict)),
                ('written_by', models.UUIDField(help_text='The real principal; null: a job.', null=True)),
                ('written_key', models.UUIDField(help_text='The key that it used, if any.', null=True)),
                ('agent', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='principals.agent')),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='principals.user')),
                ('parent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='children', to='agent_sessions.session')),
            ],
        ),
        migrations.CreateModel(
            name='Participant',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('first_seq', models.PositiveIntegerField()),
                ('last_seq', models.PositiveIntegerField()),
                ('last_at', models.DateTimeField()),
                ('message_count', models.PositiveIntegerField(default=1)),
                ('agent', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='principals.agent')),
                ('user', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='principals.user')),
                ('session', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='participants', to='agent_sessions.session')),
            ],
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('seq', models.PositiveIntegerField()),
                ('role', models.CharField(choices=[('user', 'User'), ('assistant', 'Assistant'), ('system', 'System'), ('tool', 'Tool')], max_length=9)),
                ('role_id', models.CharField(max_length=64, null=True)),
                ('parts', models.JSONField()),
                ('text', models.TextField(blank=True, help_text='Plain text of the parts.')),
                ('language', models.CharField(default='english', help_text='A regconfig.', max_length=63)),
                ('source', models.CharField(choices=[('context_injection', 'Context Injection')], max_length=32, null=True)),
                ('written_by', models.UUIDField(help_text='The real principal; null: a job.', null=True)),
                ('written_key', models.UUIDField(help_text='The key that it used, if any.', null=True)),
                ('session', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='agent_sessions.session')),
            ],
        ),
        # The dictionary is chosen per row; a cast from text would not be immutable, so the column
        # itself has the type that to_tsvector asks for.
        migrations.RunSQL(
            "ALTER TABLE agent_sessions_message"
            " ALTER COLUMN language TYPE regconfig USING language::regconfig",
            migrations.RunSQL.noop,
        ),
        migrations.AddField(
            model_name='message',
            name='search',
            field=models.GeneratedField(db_persist=True, expression=models.Func(models.F('language'), django.db.models.functions.text.Left(models.Func(models.F('text'), function='public.bw_fold'), 100000), function='to_tsvector'), output_field=django.contrib.postgres.search.SearchVectorField()),
        ),
        migrations.AddIndex(
            model_name='session',
            index=models.Index(fields=['-last_activity_at', '-id'], name='session_newest'),
        ),
        migrations.AddIndex(
            model_name='session',
            index=models.Index(fields=['owner', '-last_activity_at', '-id'], name='session_by_owner'),
        ),
        migrations.AddIndex(
            model_name='session',
            index=models.Index(fields=['agent', '-last_activity_at', '-id'], name='session_by_agent'),
        ),
        migrations.AddConstraint(
            model_name='session',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('session_id'), name='session_id_unique'),
        ),
        migrations.AddConstraint(
            model_name='session',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['active', 'idle', 'ended'])), name='session_state_valid'),
        ),
        migrations.AddConstraint(
            model_name='session',
            constraint=models.CheckConstraint(condition=models.Q(('parent', None), models.Q(('parent', models.F('id')), _negated=True), _connector='OR'), name='session_not_own_parent'),
        ),
        migrations.AddIndex(
            model_name='participant',
            index=models.Index(fields=['user', 'session'], name='participant_by_user'),
        ),
        migrations.AddConstraint(
            model_name='participant',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('agent__isnull', False), ('user', None)), models.Q(('agent', None), ('user__isnull', False)), _connector='OR'), name='participant_one_kind'),
        ),
        migrations.AddConstraint(
            model_name='participant',
            constraint=models.UniqueConstraint(fields=('session', 'user'), name='participant_user_once'),
        ),
        migrations.AddConstraint(
            model_name='participant',
            constraint=models.UniqueConstraint(fields=('session', 'agent'), name='participant_agent_once'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=django.contrib.postgres.indexes.GinIndex(fields=['search'], name='message_search'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.UniqueConstraint(fields=('session', 'seq'), name='message_seq_unique'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.CheckConstraint(condition=models.Q(('seq__gte', 1)), name='message_seq_from_one'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['user', 'assistant', 'system', 'tool'])), name='message_role_valid'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['system', 'tool']), ('role_id__isnull', False), _connector='OR'), name='message_author_named'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.CheckConstraint(condition=models.Q(('source', None), ('source', 'context_injection'), _connector='OR'), name='message_source_valid'),
        ),
    ]
