"""Contacts, idempotency records, bound keys. Cost for 1,000 accounts: three empty tables each,
about 0.1 s; no existing row is rewritten.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('principals', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='apikey',
            name='agents',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), default=list, help_text='Agents it is bound to; empty: any.', size=None),
        ),
        migrations.AddField(
            model_name='apikey',
            name='contact_required',
            field=models.BooleanField(default=False, help_text='Session and memory routes need a contact.'),
        ),
        migrations.CreateModel(
            name='Contact',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('kind', models.CharField(choices=[('external', 'External'), ('group', 'Group'), ('personal', 'Personal')], default='external', max_length=8)),
                ('display_name', models.CharField(blank=True, max_length=200)),
                ('aliases', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), default=list, size=None)),
                ('notes', models.TextField(blank=True)),
                ('tags', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), default=list, size=None)),
                ('auto_created', models.BooleanField(default=False)),
                ('written_by', models.UUIDField(help_text='The real principal; null: a job.', null=True)),
                ('merged_into', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='merged', to='principals.contact')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='contacts', to='principals.user')),
            ],
        ),
        migrations.CreateModel(
            name='ContactHandle',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('platform', models.CharField(choices=[('telegram', 'Telegram'), ('whatsapp', 'Whatsapp'), ('discord', 'Discord'), ('slack', 'Slack'), ('imessage', 'Imessage'), ('email', 'Email'), ('phone', 'Phone'), ('web', 'Web'), ('peer', 'Peer')], max_length=8)),
                ('platform_id', models.CharField(max_length=255)),
                ('username', models.CharField(blank=True, max_length=200)),
                ('kind', models.CharField(choices=[('external', 'External'), ('group', 'Group'), ('personal', 'Personal')], max_length=8)),
                ('contact', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='handles', to='principals.contact')),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='principals.user')),
                ('user', models.ForeignKey(help_text='Bound: is this user.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='handles', to='principals.user')),
            ],
        ),
        migrations.CreateModel(
            name='IdempotencyRecord',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('principal', models.UUIDField(help_text='The key, the person, or the root key.')),
                ('acting_as', models.UUIDField(help_text='The effective user.')),
                ('route', models.BinaryField(help_text='SHA-256 of method and path.', max_length=32)),
                ('key', models.CharField(max_length=255)),
                ('body', models.BinaryField(help_text='SHA-256 of the body.', max_length=32)),
                ('attempt', models.UUIDField(help_text='Which request holds it while it is in flight.')),
                ('started_at', models.DateTimeField()),
                ('done_at', models.DateTimeField(help_text='Null: in flight.', null=True)),
                ('reference', models.JSONField(default=dict, help_text='Ids of what was made.')),
            ],
            options={
                'indexes': [models.Index(fields=['created_at'], name='idempotency_oldest')],
                'constraints': [models.UniqueConstraint(fields=('principal', 'acting_as', 'route', 'key'), name='idempotency_once')],
            },
        ),
        migrations.AddConstraint(
            model_name='contact',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['external', 'group', 'personal'])), name='contact_kind_valid'),
        ),
        migrations.AddConstraint(
            model_name='contact',
            constraint=models.CheckConstraint(condition=models.Q(('merged_into', None), models.Q(('merged_into', models.F('id')), _negated=True), _connector='OR'), name='contact_not_into_itself'),
        ),
        migrations.AddConstraint(
            model_name='contacthandle',
            constraint=models.UniqueConstraint(fields=('owner', 'platform', 'platform_id', 'kind'), name='handle_unique'),
        ),
        migrations.AddConstraint(
            model_name='contacthandle',
            constraint=models.CheckConstraint(condition=models.Q(('platform__in', ['telegram', 'whatsapp', 'discord', 'slack', 'imessage', 'email', 'phone', 'web', 'peer'])), name='handle_platform_valid'),
        ),
    ]
