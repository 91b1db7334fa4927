package ccm

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The names of the settings that ParseEnv reads.
const (
	envDatabaseURL     = "DATABASE_URL"
	envDBHost          = "DB_HOST"
	envDBPort          = "DB_PORT"
	envDBUser          = "DB_USER"
	envDBPassword      = "DB_PASSWORD"
	envDBName          = "DB_NAME"
	envFeb29           = "CCM_FEB29"
	envJournalURL      = "CCM_JOURNAL_URL"
	envJournalDays     = "CCM_JOURNAL_RETENTION_DAYS"
	envAlertChat       = "CCM_ALERT_CHAT_ID"
	envCacheProvider   = "CACHE_PROVIDER"
	envRedisURL        = "REDIS_URL"
	envRedisPassword   = "REDIS_PASSWORD"
	envFresh           = "REPORT_CACHE_TTL_MINUTES"
	envStale           = "CCM_CACHE_STALE_HOURS"
	envBranch          = "RAMA_ACTUAL"
	envBranches        = "RAMAS_AUTORIZADAS"
	envStatus          = "CCM_BIRTHDAY_STATUS"
	envZone            = "CCM_TIMEZONE"
	envTelegramOn      = "TELEGRAM_ENABLED"
	envTelegramToken   = "TELEGRAM_BOT_TOKEN"
	envTelegramChat    = "TELEGRAM_CHAT_ID"
	envTelegramTimeout = "TELEGRAM_TIMEOUT_SECONDS"
	envTelegramURL     = "TELEGRAM_API_URL"
	envGoogleFile      = "GOOGLE_APPLICATION_CREDENTIALS"
	envGoogleToken     = "GOOGLE_TOKEN_PATH"
)

// Values of settings, and what stands for none.
const (
	feb28, mar1         = "28feb", "1mar"
	cacheMemory         = "memory"
	cacheRedis          = "redis"
	defaultMySQLPort    = 3306
	defaultJournalDays  = 30
	defaultTelegramWait = 15 * time.Second
	defaultTelegramURL  = "https://api.telegram.org"
)

// Settings lists the library's settings in the order of the table. Each may
// also be given as NAME_FILE.
func Settings() []Setting {
	return []Setting{
		{Name: envDatabaseURL, Doc: "The database: `mysql://user:password@host:3306/name`; also `mysql+pymysql://` and `mysql+mysqldb://`.", Spanish: "La base de datos: «mysql://usuario:contraseña@host:3306/base»; también mysql+pymysql:// y mysql+mysqldb://.", Secret: true},
		{Name: envDBHost, Doc: "The database server, where there is no `DATABASE_URL`.", Spanish: "El servidor de la base de datos, si no hay DATABASE_URL."},
		{Name: envDBPort, Default: strconv.Itoa(defaultMySQLPort), Doc: "Its port.", Spanish: "Su puerto."},
		{Name: envDBUser, Doc: "Its user; SELECT on the two views is enough.", Spanish: "Su usuario; le basta SELECT sobre las dos vistas."},
		{Name: envDBPassword, Doc: "The user's password.", Spanish: "La contraseña del usuario.", Secret: true},
		{Name: envDBName, Doc: "The name of the database.", Spanish: "El nombre de la base de datos."},
		{Name: envCacheProvider, Default: cacheMemory, Doc: "Where data are kept between requests: `memory`, or `redis` (shared by replicas).", Spanish: "Dónde se guardan los datos entre peticiones: memory, o redis (compartido entre réplicas)."},
		{Name: envRedisURL, Doc: "The Redis of `CACHE_PROVIDER=redis`: `redis://:password@host:6379/0`; `rediss://` with TLS; more nodes of a Cluster as `?addr=host2:6379`, Sentinels as `?master_name=name&addr=host2:26379`.", Spanish: "El Redis de CACHE_PROVIDER=redis: «redis://:contraseña@host:6379/0»; rediss:// con TLS; otros nodos de un Cluster, ?addr=host2:6379; Sentinels, ?master_name=nombre&addr=host2:26379.", Secret: true},
		{Name: envRedisPassword, Doc: "The password for `REDIS_URL` where that has none, so that one secret serves Redis too.", Spanish: "La contraseña de REDIS_URL cuando esta no la lleva; así un solo secreto sirve también a Redis.", Secret: true},
		{Name: envFresh, Default: fmt.Sprint(DefaultFresh.Minutes()), Doc: "Minutes that data are served without asking the database; 0: no cache.", Spanish: "Minutos que los datos se sirven sin consultar la base; 0 apaga la caché."},
		{Name: envStale, Default: fmt.Sprint(DefaultMaxStale.Hours()), Doc: "Hours that data may be old and still stand in for a database that is away; 0: none do.", Spanish: "Horas que pueden tener los datos que suplen a una base caída; 0: ninguna los suple."},
		{Name: envBranch, Doc: "The branch of a request that names none; without it such a request is about all.", Spanish: "La rama de las peticiones que no dicen cuál; sin ella son sobre todas."},
		{Name: envBranches, Doc: "The branches that may be asked for: `14,9`, `[14, 9]` or `14`; empty: all.", Spanish: "Las ramas permitidas: «14,9», «[14, 9]» o «14»."},
		{Name: envStatus, Default: strings.Join(defaultStatus, ","), Doc: "Whose birthdays count, by their Status.", Spanish: "De quién son los cumpleaños, por su Status: «Virtual,CCM»."},
		{Name: envZone, Default: DefaultZone, Doc: "The centre's time zone: it says which day today is.", Spanish: "La zona horaria del centro: dice qué día es hoy."},
		{Name: envFeb29, Default: feb28, Doc: "When who was born on 29 February has a birthday in other years: `28feb` or `1mar`.", Spanish: "Cuándo cumple quien nació el 29 de febrero en los años que no lo tienen: 28feb o 1mar."},
		{Name: envTelegramOn, Doc: "`false` switches sending off; `dry_run` still works. Empty: on where there is a token.", Spanish: "false apaga los envíos; dry_run sigue funcionando."},
		{Name: envTelegramToken, Doc: "The bot's token, from @BotFather. With `_FILE` it is read again when the file changes.", Spanish: "El token del bot, de @BotFather. Con _FILE se vuelve a leer cuando el archivo cambia.", Secret: true},
		{Name: envTelegramChat, Doc: "The chat of the messages: `-1001234567890` or `@channel`.", Spanish: "El chat de los mensajes: «-1001234567890» o «@canal»."},
		{Name: envTelegramTimeout, Default: fmt.Sprint(defaultTelegramWait.Seconds()), Doc: "Seconds that each answer of Telegram is waited for, 1 to 300.", Spanish: "Segundos que se espera cada respuesta de Telegram, de 1 a 300."},
		{Name: envTelegramURL, Default: defaultTelegramURL, Doc: "The address of a Bot API server of one's own.", Spanish: "La dirección de un servidor propio de la Bot API."},
		{Name: envAlertChat, Doc: "The chat that is told of each send which Telegram did not confirm; empty: none.", Spanish: "El chat al que se avisa de cada envío que Telegram no confirmó."},
		{Name: envJournalURL, Doc: "The journal of what was sent, in a MySQL schema of its own, shared by replicas: `mysql://user:password@host:3306/ccm_diario`; empty: in memory, this process only.", Spanish: "El diario de lo enviado, en un esquema propio de MySQL que comparten las réplicas: «mysql://usuario:contraseña@host:3306/ccm_diario»; sin él, en la memoria de cada proceso.", Secret: true},
		{Name: envJournalDays, Default: strconv.Itoa(defaultJournalDays), Doc: "Days that the journal keeps texts, which hold names, 1 to 365; what was sent when, it keeps for a year.", Spanish: "Días que el diario guarda los textos, que llevan nombres, de 1 a 365; qué se envió y cuándo, un año."},
		{Name: envGoogleFile, Doc: "The file of Google credentials.", Spanish: "El archivo de credenciales de Google."},
		{Name: envGoogleToken, Doc: "The token of a Google desktop client, as JSON.", Spanish: "El token de un cliente de escritorio de Google, en JSON."},
	}
}
