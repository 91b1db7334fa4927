package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"syscall"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/telegram"
)

// unreachable says why nobody was met at an address, and what to mend; setting
// names what holds it. Where the error does not tell the address, where does. An
// empty fix: the error is of another kind.
func unreachable(err error, where, setting string) (detail, fix string) {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Addr != nil && where == "" {
		where = op.Addr.String()
	}
	dns, unresolved := errors.AsType[*net.DNSError](err)
	if unresolved {
		where = dns.Name
	}
	late, _ := errors.AsType[net.Error](err)
	switch {
	case unresolved && dns.IsNotFound || strings.Contains(err.Error(), "no such host"):
		return fmt.Sprintf("no se encuentra el host «%s»", where),
			fmt.Sprintf("corrija el host en %s; si es un servicio de Docker, debe estar en la misma red que este", setting)
	case unresolved:
		return fmt.Sprintf("el DNS no contesta por el host «%s»", where),
			fmt.Sprintf("revise el DNS y la red de esta máquina o contenedor, y el host en %s", setting)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nadie escucha en " + where, "revise que esté en marcha, y el host y el puerto en " + setting
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return strings.TrimSpace("no hay camino hasta el host " + where), "revise la red de esta máquina o contenedor, y el host en " + setting
	case errors.Is(err, context.DeadlineExceeded), late != nil && late.Timeout():
		return "no responde a tiempo", fmt.Sprintf("revise el host y el puerto en %s, y que un cortafuegos no cierre el paso", setting)
	}
	return "", ""
}

// databaseSettings are those that say where the database is.
const databaseSettings = "DATABASE_URL o en los ajustes DB_"

// databaseFault is the finding about a database that Inspect did not get into.
func databaseFault(name string, err error) finding {
	f := finding{Name: name, Status: failed, Detail: "no se alcanza", Fix: []string{err.Error()}}
	switch {
	case errors.Is(err, store.ErrUnavailable):
		if why, fix := unreachable(err, "", databaseSettings); fix != "" {
			f.Detail, f.Fix = "no se alcanza: "+why, []string{fix}
		}
	case errors.Is(err, store.ErrDenied):
		f.Detail = "rechaza al usuario"
	case errors.Is(err, store.ErrSchema):
		f.Detail = "no existe"
	}
	if last := f.Fix[len(f.Fix)-1]; !strings.Contains(last, "DATABASE_URL") {
		f.Fix = append(f.Fix, "lo que haya que corregir está en "+databaseSettings)
	}
	return f
}

// What is said of faults of Redis, and the ways out.
const (
	redisDeaf     = "Redis no deja oír a las demás réplicas: cada petición le pregunta si sus datos aún valen"
	redisSettings = "REDIS_URL o en REDIS_PASSWORD"
	redisRights   = "~ccm:* &ccm:* +ping +select +get +mget +set +del +exists +getrange +pexpire +publish +subscribe +eval +evalsha +time"
)

// redisFault is the finding about a Redis that does not let itself be used.
func redisFault(name, address string, err error) finding {
	const instead = "; atiende la memoria de cada proceso"
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	if errors.Is(err, cache.ErrDeaf) && !strings.Contains(text, "NOPERM") {
		return finding{Name: name, Status: failed, Detail: redisDeaf,
			Fix: []string{"revise que nada entre el servicio y Redis, como un proxy, estorbe a SUBSCRIBE (" + text + ")"}}
	}
	if why, fix := unreachable(err, address, "REDIS_URL"); fix != "" {
		return finding{Name: name, Status: failed, Detail: "Redis no se alcanza: " + why + instead, Fix: []string{fix + "; rediss:// solo si usa TLS"}}
	}
	var why, fix string
	switch {
	case strings.Contains(text, "WRONGPASS"):
		why, fix = "Redis rechaza al usuario o su contraseña", "corríjalos en "+redisSettings
	case strings.Contains(text, "NOAUTH"):
		why, fix = "Redis pide una contraseña que no se le dio", "póngala en REDIS_PASSWORD, y en REDIS_URL el usuario si tiene uno"
	case strings.Contains(text, "without any password configured"):
		why, fix = "Redis no tiene contraseña, y se le da una", "quítela de "+redisSettings+", o póngale una a Redis"
	case strings.Contains(text, "NOPERM"), strings.Contains(text, "ACL failure"): // the latter in a script
		why, fix = "al usuario de Redis le falta un permiso", "conceda al usuario de REDIS_URL «"+redisRights+"» con ACL SETUSER"
	case strings.Contains(text, "READONLY"):
		why, fix = "ese Redis es una réplica de solo lectura", "ponga en REDIS_URL el principal"
	case strings.Contains(text, "OOM "):
		why, fix = "a Redis no le queda memoria", "súbale maxmemory, o deje que olvide lo que menos se usa: maxmemory-policy allkeys-lru"
	case strings.Contains(text, "x509:"):
		why, fix = "el certificado de Redis no se da por bueno", "si es de una autoridad propia, ponga en SSL_CERT_FILE la ruta de su .pem; si es de otro host, corrija el de REDIS_URL"
	case strings.Contains(text, "does not look like a TLS handshake"):
		why, fix = "ese puerto de Redis no usa TLS", "escriba redis:// en REDIS_URL, o el puerto de TLS"
	case strings.HasSuffix(text, "EOF"):
		why, fix = "Redis corta la conexión", "si ese puerto usa TLS, escriba rediss:// en REDIS_URL"
	case strings.Contains(text, "all sentinels specified") && strings.Contains(text, "redis: nil"):
		why, fix = "los Sentinel no conocen a ese principal", "corrija master_name= en REDIS_URL"
	case strings.Contains(text, "cluster support disabled"):
		why, fix = "REDIS_URL lleva addr=, que es de un Cluster, y ese Redis no lo es", "quite addr= de REDIS_URL"
	case strings.Contains(text, "unknown command 'sentinel'"):
		why, fix = "REDIS_URL lleva master_name=, que es de Sentinel, y ahí no atiende ninguno", "quite master_name= de REDIS_URL, o ponga la dirección de los Sentinel"
	case strings.Contains(text, "DB index"):
		why, fix = "Redis no tiene una base con ese número", "corrija el número al final de REDIS_URL; suele ser 0"
	default:
		why, fix = "Redis no responde como se espera", "revise que Redis esté en marcha y que REDIS_URL lleve a él; rediss:// solo si usa TLS"
	}
	return finding{Name: name, Status: failed, Detail: why + instead, Fix: []string{fix + " (" + text + ")"}}
}

// botFault is the finding about a Bot API that does not answer, or does not know
// the bot.
func botFault(cfg telegram.Config, err error) finding {
	f := finding{Name: "bot", Status: failed, Detail: "Telegram no responde como se espera",
		Fix: []string{"revise la salida a api.telegram.org, o TELEGRAM_API_URL (" + err.Error() + ")"}}
	answer, ok := errors.AsType[*telegram.Error](err)
	switch {
	case errors.Is(err, telegram.ErrInvalid):
		f.Detail, f.Fix = "el token no se puede leer o no tiene su forma", []string{tokenFix}
	case ok && answer.BadToken() && answer.Description != "":
		f.Detail, f.Fix = "Telegram no reconoce el token", []string{"el token no vale: pida otro a @BotFather y póngalo en TELEGRAM_BOT_TOKEN"}
	case ok && answer.Code != 0 && answer.Description == "":
		f.Detail, f.Fix = fmt.Sprintf("lo que contesta no es la Bot API (estado %d)", answer.Code), []string{"corrija TELEGRAM_API_URL (sin él es api.telegram.org); quizá contesta un proxy"}
	default:
		why, fix := unreachable(err, botHost(cfg), "TELEGRAM_API_URL")
		if fix == "" {
			return f
		}
		if cfg.BaseURL == "" {
			fix = "revise el DNS, el cortafuegos y la salida a Internet de esta máquina o contenedor; con un servidor propio, ponga TELEGRAM_API_URL"
		}
		f.Detail, f.Fix = "Telegram no se alcanza: "+why, []string{fix}
	}
	return f
}

// tokenFix is for a token that is in a file, or was changed there meanwhile.
const tokenFix = "ponga en TELEGRAM_BOT_TOKEN, o en el archivo de TELEGRAM_BOT_TOKEN_FILE, el token como lo da @BotFather: cifras, dos puntos y letras"

// botHost is where the Bot API is looked for; an error of package telegram keeps
// it to itself.
func botHost(cfg telegram.Config) string {
	u, err := url.Parse(cmp.Or(cfg.BaseURL, "https://api.telegram.org"))
	if err != nil {
		return ""
	}
	return u.Host
}

// chatFault is the finding about a chat: Telegram's no is the chat's matter, all
// else the way's.
func chatFault(cfg ccm.Config, err error) finding {
	answer, ok := errors.AsType[*telegram.Error](err)
	if !ok || answer.Outcome != telegram.Refused || answer.BadToken() {
		return botFault(cfg.Telegram, err)
	}
	return finding{Name: "chat", Status: failed, Detail: "el bot no lo encuentra",
		Fix: []string{"revise TELEGRAM_CHAT_ID, y que el bot sea miembro del grupo o administrador del canal (" + err.Error() + ")"}}
}
