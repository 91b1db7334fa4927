package httpapi

import (
	"strings"
	"time"

	"github.com/ccmwf/ccm/ccm"
)

// The names of the settings that ParseEnv reads.
const (
	envKeys    = "CCM_API_KEYS"
	envAuth    = "CCM_API_AUTH"
	envApp     = "APP_ENV"
	envLegacy  = "CCM_LEGACY_STATUS"
	envSwagger = "ENABLE_SWAGGER"
	envTimeout = "CCM_HTTP_TIMEOUT_SECONDS"
)

const (
	development = "development"
	staging     = "staging"
	production  = "production"
)

// MinKeyLength is the fewest characters of an API key that ParseEnv takes: 16
// random ones are out of reach of guessing, and fewer are mostly words.
const MinKeyLength = 16

// maxTimeoutSeconds keeps a mistyped time-out from holding connections for hours.
const maxTimeoutSeconds = 600

// Settings lists the API's settings in the order of the table.
func Settings() []ccm.Setting {
	return []ccm.Setting{
		{Name: envApp, Default: development, Doc: "`development`, `staging` or `production`; production wants keys.", Spanish: "Entorno: development, staging o production; production exige claves."},
		{Name: envKeys, Doc: "Keys of the API, `name=key,name2=key2`, of 16 characters or more; the name goes into the logs.", Spanish: "Claves de la API, «nombre=clave,nombre2=clave2», de 16 caracteres o más; el nombre sale en los registros.", Secret: true},
		{Name: envAuth, Doc: "`off` serves without a key, in production too. Empty: on where there are keys.", Spanish: "off atiende sin clave, también en production."},
		{Name: envSwagger, Default: "true", Doc: "Serves /docs and /openapi.json.", Spanish: "Sirve /docs y /openapi.json."},
		{Name: envLegacy, Default: "false", Doc: "Answers 200 where an operation failed, as the Python service did.", Spanish: "Responde 200 cuando una operación falla, como el servicio en Python."},
		{Name: envTimeout, Default: "60", Doc: "Seconds that a whole request may take, 1 to 600.", Spanish: "Segundos que puede durar una petición completa, de 1 a 600."},
	}
}

// ParseEnv reads the API's settings. Its error joins all faults; each names its
// setting and none shows a value. Version, Metrics, Logger and Now are the
// caller's to fill in.
func ParseEnv(lookup func(string) (string, bool)) (Config, error) {
	env := ccm.NewEnv(lookup)
	cfg := Config{
		Legacy:  env.Bool(envLegacy, false),
		NoDocs:  !env.Bool(envSwagger, true),
		Timeout: env.Duration(envTimeout, DefaultTimeout, time.Second, 1, maxTimeoutSeconds),
	}
	app := env.OneOf(envApp, development, development, staging, production)
	cfg.Development = app == development
	keys := parseKeys(env)
	if env.Bool(envAuth, len(keys) > 0 || app == production) {
		cfg.Keys = keys
		if len(keys) == 0 {
			env.Missing(envKeys, "falta al menos una clave, «nombre=clave» (openssl rand -hex 24 hace una buena); %s=off atiende sin ninguna", envAuth)
		}
	}
	return cfg, env.Err()
}

// parseKeys reads «nombre=clave,nombre2=clave2». A fault tells an entry by its
// position: what stands in a name's place may be a key.
func parseKeys(env *ccm.Env) map[string]string {
	keys, owners := map[string]string{}, map[string]string{}
	fail := func(format string, args ...any) { env.Fail(envKeys, format, args...) }
	position := 0
	for entry := range strings.SplitSeq(env.String(envKeys, ""), ",") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		position++
		name, key, found := strings.Cut(entry, "=")
		name, key = strings.TrimSpace(name), strings.TrimSpace(key)
		switch {
		case !found || !validID(name):
			fail("la entrada %d no es «nombre=clave»; el nombre lleva letras, cifras, «.», «_» o «-»", position)
		case len(key) < MinKeyLength:
			fail("la clave de la entrada %d tiene menos de %d caracteres", position, MinKeyLength)
		case !printable(key) || strings.Contains(key, " "):
			fail("la clave de la entrada %d tiene caracteres que no caben en un encabezado HTTP", position)
		case keys[name] != "":
			fail("la entrada %d repite el nombre de otra", position)
		case owners[key] != "":
			fail("la entrada %d repite la clave de otra", position)
		default:
			keys[name], owners[key] = key, name
		}
	}
	return keys
}
