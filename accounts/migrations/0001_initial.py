"""First tables of the app. Cost for 1,000 accounts: none, they are made with it."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import django_tenants.postgresql_backend.base
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        
    ]

    operations = [
        migrations.CreateModel(
            name='Person',
            fields=[
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('email', models.EmailField(max_length=254)),
                ('name', models.CharField(blank=True, max_length=200)),
                ('is_active', models.BooleanField(default=True)),
                ('is_operator', models.BooleanField(default=False, help_text='Role ROOT: runs the installation.')),
            ],
            options={
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='person_email_unique')],
            },
        ),
        migrations.CreateModel(
            name='Account',
            fields=[
                ('schema_name', models.CharField(db_index=True, max_length=63, unique=True, validators=[django_tenants.postgresql_backend.base._check_schema_name])),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('account_id', models.CharField(max_length=64)),
                ('name', models.CharField(max_length=200)),
                ('state', models.CharField(choices=[('active', 'Active'), ('suspended', 'Suspended'), ('deleting', 'Deleting')], default='active', max_length=16)),
                ('ready', models.BooleanField(default=False, help_text='Its schema is complete.')),
                ('migrated_to', models.TextField(default='', help_text='Heads of its migrations.')),
                ('user_count', models.PositiveIntegerField(default=0, help_text='Listed users, the default user included; kept by the services.')),
            ],
            options={
                
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('account_id'), name='account_id_unique'), models.CheckConstraint(condition=models.Q(('state__in', ['active', 'suspended', 'deleting'])), name='account_state_valid')],
            },
        ),
        migrations.CreateModel(
            name='Domain',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('domain', models.CharField(db_index=True, max_length=253, unique=True)),
                ('is_primary', models.BooleanField(db_index=True, default=True)),
                ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='domains', to='accounts.account')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='OperatorEvent',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('action', models.CharField(max_length=64)),
                ('person', models.UUIDField(help_text='Null: the root key or the command line.', null=True)),
                ('account', models.UUIDField(null=True)),
                ('data', models.JSONField(default=dict, help_text='UUIDs and counts only.')),
                ('request_id', models.CharField(default='', max_length=64)),
            ],
            options={
                'indexes': [models.Index(fields=['-created_at'], name='operator_event_newest')],
            },
        ),
        migrations.CreateModel(
            name='SchemaTemplate',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('heads', models.TextField()),
                ('server_version', models.PositiveIntegerField()),
                ('statements', models.JSONField(help_text="Each one statement; the schema's name is a token.")),
                ('applied', models.JSONField(help_text='[app, name] of each migration that it contains.')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('heads', 'server_version'), name='template_once')],
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('user', models.UUIDField(help_text="User.id in the account's schema: no foreign key leaves it.")),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='accounts.account')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('person', 'account'), name='membership_once'), models.UniqueConstraint(fields=('account', 'user'), name='membership_user_once')],
            },
        ),
        migrations.CreateModel(
            name='NamespacePolicy',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('isolate_user_scope_by_agent', models.BooleanField(default=False)),
                ('isolate_agent_scope_by_user', models.BooleanField(default=False)),
                ('sessions_visible_to', models.CharField(choices=[('account', 'Account'), ('participants', 'Participants')], default='account', max_length=16)),
                ('version', models.PositiveIntegerField(default=1)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('updated_by', models.UUIDField(help_text='A User of the account; null: an operator.', null=True)),
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='policy', to='accounts.account')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('sessions_visible_to__in', ['account', 'participants'])), name='policy_readers_valid')],
            },
        ),
    ]
