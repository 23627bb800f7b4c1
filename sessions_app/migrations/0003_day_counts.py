"""Messages and sessions a day. Cost for 1,000 accounts: one empty table each, about 0.1 s."""

import django.db.models.functions.datetime
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('agent_sessions', '0002_contacts_archives_tasks'),
    ]

    operations = [
        migrations.CreateModel(
            name='DayCount',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('day', models.DateField()),
                ('messages', models.PositiveBigIntegerField(default=0)),
                ('sessions', models.PositiveBigIntegerField(default=0, help_text='Started on this day.')),
                ('counted_to', models.UUIDField(help_text='Rows with a smaller id (UUIDv7) are counted.')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('day',), name='day_count_once')],
            },
        ),
    ]
