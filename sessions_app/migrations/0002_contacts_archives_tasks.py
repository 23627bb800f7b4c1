"""Contacts of sessions, archives, tasks. Cost for 1,000 accounts: two empty tables each, about
0.1 s; new columns have constant defaults, so no row is rewritten.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('agent_sessions', '0001_initial'),
        ('principals', '0002_contacts_and_idempotency'),
    ]

    operations = [
        migrations.CreateModel(
            name='Archive',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('number', models.PositiveIntegerField()),
                ('first_seq', models.PositiveIntegerField()),
                ('last_seq', models.PositiveIntegerField()),
                ('tokens', models.PositiveBigIntegerField(help_text='Estimated tokens of its messages.')),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('completed', 'Completed'), ('failed', 'Failed')], default='pending', max_length=9)),
                ('abstract', models.TextField(blank=True)),
                ('overview', models.TextField(blank=True)),
                ('error', models.TextField(blank=True)),
                ('completed_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Task',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('task_type', models.CharField(choices=[('session_commit', 'Session Commit')], max_length=32)),
                ('status', models.CharField(choices=[('pending', 'Pending'), ('running', 'Running'), ('completed', 'Completed'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='pending', max_length=9)),
                ('updated_at', models.DateTimeField()),
                ('result', models.JSONField(null=True)),
                ('error', models.TextField(blank=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='participant',
            name='participant_one_kind',
        ),
        migrations.AddField(
            model_name='message',
            name='contact',
            field=models.ForeignKey(db_index=False, help_text='The speaker, when a contact spoke.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='principals.contact'),
        ),
        migrations.AddField(
            model_name='message',
            name='idempotency_key',
            field=models.CharField(help_text='Kept for ever.', max_length=255, null=True),
        ),
        migrations.AddField(
            model_name='participant',
            name='contact',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='principals.contact'),
        ),
        migrations.AddField(
            model_name='session',
            name='contact',
            field=models.ForeignKey(db_index=False, help_text='With whom; never changes.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='principals.contact'),
        ),
        migrations.AddField(
            model_name='session',
            name='contexts_used',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='session',
            name='is_current',
            field=models.BooleanField(default=False, help_text='What get-or-create finds; only get-or-create sets it.'),
        ),
        migrations.AddField(
            model_name='session',
            name='memory_paused',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='session',
            name='skills_used',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name='session',
            index=models.Index(condition=models.Q(('contact__isnull', False)), fields=['contact', '-last_activity_at', '-id'], name='session_by_contact'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.UniqueConstraint(condition=models.Q(('idempotency_key__isnull', False)), fields=('session', 'idempotency_key'), name='message_key_unique'),
        ),
        migrations.AddConstraint(
            model_name='participant',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('agent', None), ('contact', None), ('user__isnull', False)), models.Q(('agent__isnull', False), ('contact', None), ('user', None)), models.Q(('agent', None), ('contact__isnull', False), ('user', None)), _connector='OR'), name='participant_one_kind'),
        ),
        migrations.AddConstraint(
            model_name='participant',
            constraint=models.UniqueConstraint(fields=('session', 'contact'), name='participant_contact_once'),
        ),
        migrations.AddConstraint(
            model_name='session',
            constraint=models.UniqueConstraint(condition=models.Q(('is_current', True)), fields=('owner', 'agent', 'contact', 'thread_key'), name='session_one_current', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='session',
            constraint=models.CheckConstraint(condition=models.Q(('is_current', False), models.Q(('state', 'ended'), _negated=True), _connector='OR'), name='session_current_not_ended'),
        ),
        migrations.AddField(
            model_name='archive',
            name='session',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='archives', to='agent_sessions.session'),
        ),
        migrations.AddField(
            model_name='task',
            name='archive',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='tasks', to='agent_sessions.archive'),
        ),
        migrations.AddField(
            model_name='task',
            name='contact',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='principals.contact'),
        ),
        migrations.AddField(
            model_name='task',
            name='session',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='tasks', to='agent_sessions.session'),
        ),
        migrations.AddField(
            model_name='task',
            name='user',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='principals.user'),
        ),
        migrations.AddConstraint(
            model_name='archive',
            constraint=models.UniqueConstraint(fields=('session', 'number'), name='archive_number_unique'),
        ),
        migrations.AddConstraint(
            model_name='archive',
            constraint=models.UniqueConstraint(fields=('session', 'first_seq'), name='archive_range_unique'),
        ),
        migrations.AddConstraint(
            model_name='archive',
            constraint=models.CheckConstraint(condition=models.Q(('first_seq__gte', 1), ('last_seq__gte', models.F('first_seq'))), name='archive_range_valid'),
        ),
        migrations.AddConstraint(
            model_name='archive',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'completed', 'failed'])), name='archive_state_valid'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(fields=['user', '-id'], name='task_newest'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(fields=['updated_at'], name='task_oldest'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['pending', 'running', 'completed', 'failed', 'cancelled'])), name='task_status_valid'),
        ),
    ]
