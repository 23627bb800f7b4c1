"""First tables of the app. Cost for 1,000 accounts: five empty tables each, about 0.2 s."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.db.models.functions.text
import uuid_utils.compat
from django.db import migrations, models


# The function is public's (accounts.0005_revisions); its argument is the table that it writes to.
KEEP_REVISIONS = """
CREATE OR REPLACE TRIGGER memory_keep_revision BEFORE UPDATE ON memory_memory
FOR EACH ROW EXECUTE FUNCTION public.bw_keep_revision('memory_revision')
"""

VERSIONS = """
CREATE OR REPLACE VIEW memory_version AS
SELECT id, created_at, id AS memory_id, version, updated_at AS valid_from,
    NULL::timestamptz AS valid_to, scope, user_id AS "user", agent_id AS agent,
    contact_id AS contact, session_id AS session, kind, topic_key, summary, content, source,
    salience, topics, confidence, state, superseded_by_id AS superseded_by, expires_at,
    language::varchar AS language, written_by, written_key, search
FROM memory_memory
UNION ALL
SELECT id, created_at, memory AS memory_id, version, valid_from,
    valid_to, scope, "user", agent,
    contact, session, kind, topic_key, summary, content, source,
    salience, topics, confidence, state, superseded_by, expires_at,
    language, written_by, written_key, NULL::tsvector AS search
FROM memory_revision
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('agent_sessions', '0005_external_ids'),
        ('principals', '0004_merging'),
        ('accounts', '0005_revisions'),
    ]

    operations = [
        migrations.CreateModel(
            name='Version',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('scope', models.CharField(choices=[('user', 'User'), ('agent', 'Agent')], max_length=5)),
                ('user', models.UUIDField()),
                ('agent', models.UUIDField()),
                ('contact', models.UUIDField(null=True)),
                ('session', models.UUIDField(null=True)),
                ('kind', models.CharField(max_length=16)),
                ('topic_key', models.CharField(max_length=255, null=True)),
                ('summary', models.CharField(blank=True, max_length=500)),
                ('content', models.TextField()),
                ('source', models.CharField(choices=[('conversation', 'Conversation'), ('observation', 'Observation'), ('user_stated', 'User Stated'), ('inferred', 'Inferred'), ('session', 'Session'), ('reflection', 'Reflection'), ('imported', 'Imported')], max_length=12)),
                ('salience', models.CharField(choices=[('low', 'Low'), ('medium', 'Medium'), ('high', 'High'), ('critical', 'Critical')], max_length=8)),
                ('topics', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), size=None)),
                ('confidence', models.FloatField(null=True)),
                ('state', models.CharField(choices=[('active', 'Active'), ('quarantined', 'Quarantined'), ('superseded', 'Superseded'), ('deleted', 'Deleted')], max_length=11)),
                ('superseded_by', models.UUIDField(null=True)),
                ('expires_at', models.DateTimeField(null=True)),
                ('version', models.PositiveIntegerField()),
                ('language', models.CharField(max_length=63)),
                ('written_by', models.UUIDField(null=True)),
                ('written_key', models.UUIDField(null=True)),
                ('valid_from', models.DateTimeField(help_text='Since when the memory was so.')),
                ('valid_to', models.DateTimeField(help_text='Until when; null: it still is.', null=True)),
                ('search', django.contrib.postgres.search.SearchVectorField(help_text="The memory's; null of a past state.", null=True)),
            ],
            options={
                'db_table': 'memory_version',
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='Memory',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('scope', models.CharField(choices=[('user', 'User'), ('agent', 'Agent')], default='user', max_length=5)),
                ('kind', models.CharField(default='facts', max_length=16)),
                ('topic_key', models.CharField(help_text='Names what it is about: remembering the same again replaces it.', max_length=255, null=True)),
                ('summary', models.CharField(blank=True, max_length=500)),
                ('content', models.TextField()),
                ('source', models.CharField(choices=[('conversation', 'Conversation'), ('observation', 'Observation'), ('user_stated', 'User Stated'), ('inferred', 'Inferred'), ('session', 'Session'), ('reflection', 'Reflection'), ('imported', 'Imported')], default='user_stated', max_length=12)),
                ('salience', models.CharField(choices=[('low', 'Low'), ('medium', 'Medium'), ('high', 'High'), ('critical', 'Critical')], default='medium', max_length=8)),
                ('topics', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), default=list, size=None)),
                ('confidence', models.FloatField(help_text='0 to 1, by who extracted it.', null=True)),
                ('state', models.CharField(choices=[('active', 'Active'), ('quarantined', 'Quarantined'), ('superseded', 'Superseded'), ('deleted', 'Deleted')], default='active', max_length=11)),
                ('expires_at', models.DateTimeField(help_text='Past it, it is no longer recalled.', null=True)),
                ('version', models.PositiveIntegerField(default=1, help_text='Counted by the database.')),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), help_text='Set by the database.')),
                ('language', models.CharField(default='english', help_text='A regconfig.', max_length=63)),
                ('written_by', models.UUIDField(help_text='The real principal; null: a job.', null=True)),
                ('written_key', models.UUIDField(help_text='The key that it used, if any.', null=True)),
                ('agent', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='principals.agent')),
                ('contact', models.ForeignKey(db_index=False, help_text='Whom it is about or from, when that is an outside person or group.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='principals.contact')),
                ('session', models.ForeignKey(db_index=False, help_text='In which it was said.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='agent_sessions.session')),
                ('superseded_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='supersedes', to='memory.memory')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='principals.user')),
            ],
        ),
        migrations.CreateModel(
            name='Evidence',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('message', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='agent_sessions.message')),
                ('memory', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='evidence', to='memory.memory')),
            ],
        ),
        migrations.CreateModel(
            name='Revision',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('scope', models.CharField(choices=[('user', 'User'), ('agent', 'Agent')], max_length=5)),
                ('user', models.UUIDField()),
                ('agent', models.UUIDField()),
                ('contact', models.UUIDField(null=True)),
                ('session', models.UUIDField(null=True)),
                ('kind', models.CharField(max_length=16)),
                ('topic_key', models.CharField(max_length=255, null=True)),
                ('summary', models.CharField(blank=True, max_length=500)),
                ('content', models.TextField()),
                ('source', models.CharField(choices=[('conversation', 'Conversation'), ('observation', 'Observation'), ('user_stated', 'User Stated'), ('inferred', 'Inferred'), ('session', 'Session'), ('reflection', 'Reflection'), ('imported', 'Imported')], max_length=12)),
                ('salience', models.CharField(choices=[('low', 'Low'), ('medium', 'Medium'), ('high', 'High'), ('critical', 'Critical')], max_length=8)),
                ('topics', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), size=None)),
                ('confidence', models.FloatField(null=True)),
                ('state', models.CharField(choices=[('active', 'Active'), ('quarantined', 'Quarantined'), ('superseded', 'Superseded'), ('deleted', 'Deleted')], max_length=11)),
                ('superseded_by', models.UUIDField(null=True)),
                ('expires_at', models.DateTimeField(null=True)),
                ('version', models.PositiveIntegerField()),
                ('language', models.CharField(max_length=63)),
                ('written_by', models.UUIDField(null=True)),
                ('written_key', models.UUIDField(null=True)),
                ('valid_from', models.DateTimeField(help_text='Since when the memory was so.')),
                ('valid_to', models.DateTimeField(help_text='Until when; null: it still is.', null=True)),
                ('memory', models.UUIDField()),
            ],
            options={
                'indexes': [models.Index(fields=['valid_to', 'valid_from'], name='revision_as_of')],
                'constraints': [models.UniqueConstraint(fields=('memory', 'version'), name='revision_version_once')],
            },
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('purpose', models.CharField(choices=[('memory', 'Memory')], default='memory', max_length=8)),
                ('state', models.CharField(choices=[('granted', 'Granted'), ('withdrawn', 'Withdrawn')], max_length=9)),
                ('is_current', models.BooleanField(default=True, help_text="The contact's last word.")),
                ('channel', models.CharField(blank=True, max_length=64)),
                ('expires_at', models.DateTimeField(null=True)),
                ('written_by', models.UUIDField(help_text='The real principal; null: a job.', null=True)),
                ('written_key', models.UUIDField(help_text='The key that it used, if any.', null=True)),
                ('contact', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='principals.contact')),
                ('evidence', models.ForeignKey(help_text='Where it was said.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='agent_sessions.message')),
            ],
            options={
                'indexes': [models.Index(fields=['contact', '-id'], name='consent_ledger')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_current', True)), fields=('contact', 'purpose'), name='consent_one_current'), models.CheckConstraint(condition=models.Q(('purpose__in', ['memory'])), name='consent_purpose_valid'), models.CheckConstraint(condition=models.Q(('state__in', ['granted', 'withdrawn'])), name='consent_state_valid')],
            },
        ),
        migrations.CreateModel(
            name='Extraction',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('first_seq', models.PositiveIntegerField()),
                ('last_seq', models.PositiveIntegerField()),
                ('state', models.CharField(choices=[('running', 'Running'), ('completed', 'Completed'), ('failed', 'Failed')], default='running', max_length=9)),
                ('memories', models.PositiveIntegerField(default=0, help_text='How many it made or changed.')),
                ('tokens', models.PositiveBigIntegerField(default=0)),
                ('error', models.TextField(blank=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('agent', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='principals.agent')),
                ('contact', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='principals.contact')),
                ('session', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='agent_sessions.session')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='principals.user')),
            ],
            options={
                'indexes': [models.Index(fields=['user', '-id'], name='extraction_by_user'), models.Index(condition=models.Q(('session__isnull', False)), fields=['session'], name='extraction_by_session')],
                'constraints': [models.CheckConstraint(condition=models.Q(('first_seq__gte', 1), ('last_seq__gte', models.F('first_seq'))), name='extraction_range_valid'), models.CheckConstraint(condition=models.Q(('state__in', ['running', 'completed', 'failed'])), name='extraction_state_valid')],
            },
        ),
        # The dictionary is chosen per row; a cast from text would not be immutable, so the column
        # itself has the type that to_tsvector asks for.
        migrations.RunSQL(
            "ALTER TABLE memory_memory"
            " ALTER COLUMN language TYPE regconfig USING language::regconfig",
            migrations.RunSQL.noop,
        ),
        migrations.AddField(
            model_name='memory',
            name='search',
            field=models.GeneratedField(db_persist=True, expression=models.Func(models.F('language'), django.db.models.functions.text.Left(models.Func(django.db.models.functions.text.Concat(models.F('summary'), models.Value(' '), models.F('content'), models.Value(' '), django.db.models.functions.comparison.Coalesce(models.F('topic_key'), models.Value('')), output_field=models.TextField()), function='public.bw_fold'), 100000), function='to_tsvector'), output_field=django.contrib.postgres.search.SearchVectorField()),
        ),
        migrations.AddIndex(
            model_name='memory',
            index=models.Index(fields=['user', '-id'], name='memory_by_user'),
        ),
        migrations.AddIndex(
            model_name='memory',
            index=models.Index(fields=['agent', '-id'], name='memory_by_agent'),
        ),
        migrations.AddIndex(
            model_name='memory',
            index=models.Index(condition=models.Q(('contact__isnull', False)), fields=['contact', '-id'], name='memory_by_contact'),
        ),
        migrations.AddIndex(
            model_name='memory',
            index=models.Index(condition=models.Q(('session__isnull', False)), fields=['session'], name='memory_by_session'),
        ),
        migrations.AddIndex(
            model_name='memory',
            index=models.Index(condition=models.Q(('superseded_by__isnull', False)), fields=['superseded_by'], name='memory_by_successor'),
        ),
        migrations.AddIndex(
            model_name='memory',
            index=models.Index(condition=models.Q(('expires_at__isnull', False), ('state', 'active')), fields=['expires_at'], name='memory_expiring'),
        ),
        migrations.AddIndex(
            model_name='memory',
            index=models.Index(fields=['state', 'scope', 'kind', 'salience', 'user', 'agent', 'contact', 'expires_at'], name='memory_facets'),
        ),
        migrations.AddIndex(
            model_name='memory',
            index=django.contrib.postgres.indexes.GinIndex(fields=['search'], name='memory_search'),
        ),
        migrations.AddConstraint(
            model_name='memory',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'active'), ('topic_key__isnull', False)), fields=('topic_key', 'kind', 'scope', 'user', 'agent', 'contact'), name='memory_topic_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='memory',
            constraint=models.CheckConstraint(condition=models.Q(('scope__in', ['user', 'agent'])), name='memory_scope_valid'),
        ),
        migrations.AddConstraint(
            model_name='memory',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['profile', 'preferences', 'entities', 'events', 'cases', 'patterns', 'tools', 'skills', 'facts', 'decisions', 'tasks', 'open_items', 'topics'])), name='memory_kind_valid'),
        ),
        migrations.AddConstraint(
            model_name='memory',
            constraint=models.CheckConstraint(condition=models.Q(('source__in', ['conversation', 'observation', 'user_stated', 'inferred', 'session', 'reflection', 'imported'])), name='memory_source_valid'),
        ),
        migrations.AddConstraint(
            model_name='memory',
            constraint=models.CheckConstraint(condition=models.Q(('salience__in', ['low', 'medium', 'high', 'critical'])), name='memory_salience_valid'),
        ),
        migrations.AddConstraint(
            model_name='memory',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['active', 'quarantined', 'superseded', 'deleted'])), name='memory_state_valid'),
        ),
        migrations.AddConstraint(
            model_name='memory',
            constraint=models.CheckConstraint(condition=models.Q(('content', ''), _negated=True), name='memory_says_something'),
        ),
        migrations.AddConstraint(
            model_name='memory',
            constraint=models.CheckConstraint(condition=models.Q(('topic_key', None), models.Q(('topic_key', ''), _negated=True), _connector='OR'), name='memory_topic_not_empty'),
        ),
        migrations.AddConstraint(
            model_name='memory',
            constraint=models.CheckConstraint(condition=models.Q(('confidence', None), models.Q(('confidence__gte', 0), ('confidence__lte', 1)), _connector='OR'), name='memory_confidence_valid'),
        ),
        migrations.AddConstraint(
            model_name='memory',
            constraint=models.CheckConstraint(condition=models.Q(('superseded_by', None), models.Q(('state__in', ['superseded', 'deleted']), models.Q(('superseded_by', models.F('id')), _negated=True)), _connector='OR'), name='memory_superseded_fits'),
        ),
        migrations.AddIndex(
            model_name='evidence',
            index=models.Index(fields=['message'], name='evidence_by_message'),
        ),
        migrations.AddConstraint(
            model_name='evidence',
            constraint=models.UniqueConstraint(fields=('memory', 'message'), name='evidence_once'),
        ),
        migrations.RunSQL(KEEP_REVISIONS, migrations.RunSQL.noop),
        migrations.RunSQL(VERSIONS, "DROP VIEW memory_version"),
    ]
