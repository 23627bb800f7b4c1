"""Time zones, stamps of sign-ins, invitations: public tables only. Each person signs in once more."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_settings_and_versions'),
    ]

    operations = [
        migrations.AddField(
            model_name='person',
            name='sign_in_stamp',
            field=models.UUIDField(default=uuid.uuid4, help_text='Part of each sign-in: changing it ends them all.'),
        ),
        migrations.AddField(
            model_name='person',
            name='time_zone',
            field=models.CharField(default='UTC', help_text='Pages tell times in it.', max_length=64),
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('user', models.UUIDField(help_text="User.id in the account's schema: no foreign key leaves it.")),
                ('email', models.EmailField(max_length=254)),
                ('invited_by', models.UUIDField(help_text='A User of the account; null: an operator.', null=True)),
                ('expires_at', models.DateTimeField()),
                ('accepted_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='invitations', to='accounts.account')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('accepted_at', None), ('revoked_at', None)), fields=('account', 'user'), name='invitation_user_once')],
            },
        ),
    ]
