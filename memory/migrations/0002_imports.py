"""Imports and their receipts. Cost for 1,000 accounts: two empty tables each, about 0.1 s."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('memory', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Import',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('format', models.CharField(max_length=16)),
                ('source', models.CharField(help_text='The file or folder, as it was named.', max_length=300)),
                ('upload', models.CharField(blank=True, help_text='The uploaded file that a job reads; then empty.', max_length=64)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('completed', 'Completed'), ('failed', 'Failed'), ('rolled_back', 'Rolled Back')], default='waiting', max_length=11)),
                ('dry_run', models.BooleanField(default=False)),
                ('user', models.CharField(blank=True, help_text='In place of the default user.', max_length=64)),
                ('agent', models.CharField(blank=True, help_text='In place of `default`.', max_length=64)),
                ('done', models.PositiveIntegerField(default=0, help_text='Sessions that were dealt with.')),
                ('total', models.PositiveIntegerField(help_text='Sessions in the source, if known.', null=True)),
                ('sessions', models.PositiveIntegerField(default=0)),
                ('messages', models.PositiveBigIntegerField(default=0)),
                ('memories', models.PositiveIntegerField(default=0)),
                ('extractions', models.PositiveIntegerField(default=0)),
                ('known', models.PositiveIntegerField(default=0, help_text='Were in already: left as they are.')),
                ('problems', models.JSONField(default=list, help_text='[{where, what, lost}], the first 1,000.')),
                ('problem_count', models.PositiveIntegerField(default=0)),
                ('notes', models.JSONField(default=list)),
                ('finished_at', models.DateTimeField(null=True)),
                ('written_by', models.UUIDField(help_text='The real principal; null: a job.', null=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'running', 'completed', 'failed', 'rolled_back'])), name='import_state_valid')],
            },
        ),
        migrations.CreateModel(
            name='ImportReceipt',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('kind', models.CharField(choices=[('session', 'Session'), ('file', 'File'), ('memory', 'Memory'), ('extraction', 'Extraction'), ('user', 'User'), ('agent', 'Agent'), ('contact', 'Contact')], max_length=10)),
                ('source_key', models.CharField(help_text='What the source calls it.', max_length=600)),
                ('source_name', models.CharField(blank=True, help_text='The file or table row.', max_length=600)),
                ('source_hash', models.BinaryField(help_text='SHA-256 of what was read.', max_length=32)),
                ('source_length', models.PositiveBigIntegerField(default=0)),
                ('target', models.UUIDField(help_text='The row that it became.')),
                ('messages', models.PositiveIntegerField(default=0, help_text='Of a session.')),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='receipts', to='memory.import')),
            ],
            options={
                'indexes': [models.Index(fields=['run', 'kind'], name='receipt_by_run'), models.Index(fields=['kind', 'source_key'], name='receipt_by_key')],
                'constraints': [models.UniqueConstraint(fields=('kind', 'source_hash', 'source_key'), name='receipt_once')],
            },
        ),
    ]
