package ccm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"

	"github.com/ccmwf/ccm/telegram"
)

var (
	errUnconfirmed = &Error{CodeTelegramHTTP, "Una parte quedó sin confirmar: pudo haber llegado. Mire el chat antes de repetirla.", &telegram.Error{Method: "sendMessage", Outcome: telegram.Uncertain}}
	errUnsent      = fail(CodeTelegramHTTP, "Una parte no se envió: el proceso que la enviaba terminó antes.")
)

// telegramError says what Telegram, or the way there, made of a message.
func telegramError(err error) *Error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	answer, ok := errors.AsType[*telegram.Error](err)
	if !ok {
		return &Error{CodeInvalidRequest, "El envío no es válido: revise el chat, que es un número como -1001234567890 o un nombre como @canal.", err}
	}
	code := telegramCode(answer)
	return &Error{code, telegramMessage(code, answer), err}
}

// telegramCode classifies an answer of Telegram.
func telegramCode(e *telegram.Error) Code {
	switch {
	case e.Outcome == telegram.Refused:
		return CodeTelegramAPI
	case e.Outcome == telegram.RateLimited:
		return CodeTelegramRateLimited
	case e.Code == 0:
		return networkCode(e)
	case e.Code == http.StatusOK:
		return CodeTelegramEmpty
	}
	return CodeTelegramStatus
}

// networkCode tells a time-out from a broken connection.
func networkCode(err error) Code {
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return CodeTelegramTimeout
	}
	return CodeTelegramHTTP
}

// telegramMessage says what happened, and what to mend.
func telegramMessage(code Code, e *telegram.Error) string {
	switch {
	case code == CodeTelegramRateLimited:
		return fmt.Sprintf("Telegram pide esperar %.0f s antes de enviar más a este chat.", math.Ceil(e.RetryAfter.Seconds()))
	case code == CodeTelegramAPI && e.BadToken():
		return "Telegram no acepta el token del bot: revise TELEGRAM_BOT_TOKEN."
	case code == CodeTelegramAPI && e.Code == http.StatusForbidden:
		return fmt.Sprintf("El bot no puede escribir en el chat: revise TELEGRAM_CHAT_ID y que el bot siga en él (%s).", e.Description)
	case code == CodeTelegramAPI:
		return fmt.Sprintf("Telegram rechazó el mensaje; si no encuentra el chat, revise TELEGRAM_CHAT_ID (%d: %s).", e.Code, e.Description)
	}
	if e.Outcome == telegram.NotSent {
		switch {
		case errors.Is(e, telegram.ErrInvalid):
			return "El archivo de TELEGRAM_BOT_TOKEN_FILE no se puede leer, está vacío o no tiene la forma de un token, y el mensaje no salió: ponga en él el token de @BotFather; se lee en cada envío."
		case errors.Is(e, context.Canceled):
			return "La petición se canceló antes de que el mensaje saliera."
		case errors.Is(e, context.DeadlineExceeded):
			return "Se acabó el tiempo antes de que el mensaje saliera: revise la salida a api.telegram.org o TELEGRAM_API_URL."
		}
		return "No se pudo conectar con Telegram, y el mensaje no salió: revise la salida a api.telegram.org o TELEGRAM_API_URL."
	}
	what := map[Code]string{
		CodeTelegramTimeout: "Telegram no respondió a tiempo",
		CodeTelegramHTTP:    "Se perdió la conexión con Telegram",
		CodeTelegramStatus:  fmt.Sprintf("Telegram respondió con el estado %d", e.Code),
		CodeTelegramEmpty:   "La respuesta de Telegram no se pudo leer",
	}[code]
	return what + ": el mensaje pudo haber llegado. Mire el chat antes de repetirlo."
}
