package oauth

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// Error says why credentials do not serve, and how to mend it.
type Error struct {
	File string // the file at fault; "" if they were in none
	Kind Kind   // "" if that is not known
	Hint string // what an operator can do, in Spanish
	Err  error  // the cause
}

// Error names the file, its kind and the cause, and ends with the hint.
func (e *Error) Error() string {
	where := "oauth"
	if e.File != "" {
		where += ": " + e.File
	}
	if e.Kind != "" {
		where += " (" + string(e.Kind) + ")"
	}
	return fmt.Sprintf("%s: %v; %s", where, e.Err, e.Hint)
}

// Unwrap returns the cause: an [fs.PathError] for a file, an
// [oauth2.RetrieveError] without its body for an answer of the token endpoint,
// what the HTTP client said for a network.
func (e *Error) Unwrap() error { return e.Err }

// Causes that no other package names.
var (
	errNone       = errors.New("no credentials found")
	errPickle     = errors.New("it is a Python pickle, not JSON")
	errNotJSON    = errors.New("it is not JSON")
	errTooLong    = errors.New("it is too long to hold credentials")
	errForeign    = errors.New("it is of no kind that is known")
	errNotAllowed = errors.New("its kind is not allowed here")
	errOther      = errors.New("the token belongs to another client")
	errNoRefresh  = errors.New("it has no refresh token")
	errNoScopes   = errors.New("no scope was asked for")
	errNotGranted = errors.New("a scope was not granted")
	errNotGoogle  = errors.New("the answer is not of a token endpoint")
	errSubject    = errors.New("only a service account can act for somebody else")
)

// How to authorise again, for whoever must.
const authorizeAgain = "autorice otra vez con «ccm-api google authorize»"

// Hints for an operator.
const (
	hintNone        = "ponga en GOOGLE_APPLICATION_CREDENTIALS la ruta del archivo JSON de una cuenta de servicio o de un cliente OAuth"
	hintMissing     = "no existe: revise la ruta, y en un contenedor que el archivo esté montado"
	hintDirectory   = "es un directorio: Docker lo crea cuando el archivo del host no existe; bórrelo y ponga el archivo"
	hintUnreadable  = "no se puede leer: revise el archivo y su montaje"
	hintPickle      = "es un pickle de Python, que no se abre porque puede ejecutar código; " + authorizeAgain
	hintNotJSON     = "no es JSON: descárguelo otra vez de la consola de Google Cloud"
	hintTooLong     = "es demasiado grande para ser de credenciales: revise la ruta"
	hintForeign     = "no es de una cuenta de servicio, ni de un usuario autorizado, ni de un cliente OAuth de escritorio: descargue uno de esos de la consola de Google Cloud"
	hintNotAllowed  = "aquí no se aceptan credenciales de este tipo: use una cuenta de servicio o un cliente OAuth de escritorio"
	hintKey         = "la clave privada no se entiende: descargue una clave nueva de la cuenta de servicio, sin editarla"
	hintEndpoint    = "el archivo nombra un servidor que no es https: descárguelo otra vez de la consola de Google Cloud"
	hintTokenFile   = "a un cliente OAuth le hace falta GOOGLE_TOKEN_PATH, la ruta donde queda su token"
	hintNoToken     = "aún no se autorizó a este cliente: hágalo con «ccm-api google authorize»"
	hintOther       = "el token es de otro cliente OAuth: " + authorizeAgain
	hintNoRefresh   = "el token no puede renovarse: " + authorizeAgain
	hintScopes      = "diga para qué son las credenciales, por ejemplo " + DriveReadonly
	hintGranted     = "falta un permiso que se pidió: " + authorizeAgain + " y deje marcadas todas las casillas"
	hintSubject     = "solo una cuenta de servicio puede actuar por otro usuario: quite el sujeto"
	hintRevoked     = "Google ya no acepta el token: fue revocado, cambió la contraseña o caducó (a los 7 días, si el cliente OAuth está en pruebas y no publicado); " + authorizeAgain
	hintUserRevoked = "Google ya no acepta el token: fue revocado, cambió la contraseña o caducó; pídalo otra vez con «gcloud auth application-default login»"
	hintNoSubject   = "el usuario por el que se actúa no existe en el dominio: corrija el sujeto"
	hintKeyRevoked  = "Google ya no acepta la clave de la cuenta de servicio: fue borrada o desactivada; descargue una clave nueva"
	hintClient      = "Google no acepta el cliente OAuth: fue borrado o cambió su secreto; descárguelo otra vez y autorice de nuevo"
	hintDelegation  = "Google no da estos permisos a la cuenta: revise los permisos que se piden y, si actúa por otro usuario, la delegación en todo el dominio"
	hintClock       = "el reloj de esta máquina está mal: póngalo en hora (timedatectl set-ntp true)"
	hintNetwork     = "no se alcanza el servidor de Google: revise la red, el DNS y el proxy de esta máquina"
	hintTLS         = "no se confía en el certificado del servidor de Google: revise el reloj, los certificados raíz y el proxy"
	hintProxy       = "respondió algo que no es Google: revise si un proxy o un portal contesta en su lugar"
	hintExternal    = "el otro proveedor no dio su token, o respondió algo que no se entiende: revise credential_source en el archivo"
	hintBusy        = "Google no puede atender ahora: vuelva a intentarlo en unos minutos"
	hintRefused     = "Google no dio un token: revise las credenciales en la consola de Google Cloud"
	hintDenied      = "la persona no dio el permiso: " + authorizeAgain
	hintRedirect    = "un cliente OAuth de tipo web debe tener registrada una dirección como http://localhost:8085/; es más fácil con uno de tipo escritorio"
	hintPort        = "no se puede escuchar en el puerto de la respuesta: ciérrelo en el otro programa, o use un cliente de tipo escritorio"
	hintUnsaved     = "no se puede guardar el token: monte con escritura la carpeta de GOOGLE_TOKEN_PATH, no solo el archivo, y dele permiso a este usuario"
)

// fileError explains why a file cannot be read.
func fileError(file string, err error) *Error {
	hint := hintUnreadable
	switch {
	case errors.Is(err, fs.ErrNotExist):
		hint = hintMissing
	case errors.Is(err, errTooLong):
		hint = hintTooLong
	case errors.Is(err, fs.ErrPermission):
		hint = fmt.Sprintf("este usuario (%d) no puede leerlo: en el host, chown %[1]d y chmod 400", os.Getuid())
	default:
		if info, statErr := os.Stat(file); statErr == nil && info.IsDir() {
			hint = hintDirectory
		}
	}
	return &Error{File: file, Hint: hint, Err: err}
}

// refusal explains why the token endpoint gave no token: err is what x/oauth2
// made of it, w what happened on the wire.
func refusal(file string, kind Kind, err error, w *wire) error {
	e := &Error{File: file, Kind: kind}
	if w.err != nil {
		e.Err, e.Hint = w.err, hintNetwork
		if isCertificate(w.err) {
			e.Hint = hintTLS
		}
		return e
	}
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok || answer.Response == nil {
		e.Err, e.Hint = errNotGoogle, hintProxy
		if kind == ExternalAccount { // the other provider may be at fault, in words of its own
			e.Hint = hintExternal
		}
		return e
	}
	// The body is dropped: nobody knows what a server puts there.
	code, description := answer.ErrorCode, answer.ErrorDescription
	if code == "" { // package jwt does not look
		code, description = readRefusal(answer.Body)
	}
	if !refusalForm.MatchString(code) {
		code = ""
	}
	kept := &oauth2.RetrieveError{Response: &http.Response{StatusCode: answer.Response.StatusCode, Status: answer.Response.Status}, ErrorCode: code}
	e.Err, e.Hint = kept, hintFor(kind, kept, description, w)
	return e
}

// The error codes of a client that is not taken, and of scopes that are not given.
// https://developers.google.com/identity/protocols/oauth2/service-account#error-codes
var (
	clientRefusals = []string{"invalid_client", "deleted_client", "disabled_client"}
	scopeRefusals  = []string{"invalid_scope", "unauthorized_client", "access_denied", "admin_policy_enforced", "org_internal"}
)

func hintFor(kind Kind, answer *oauth2.RetrieveError, description string, w *wire) string {
	status := answer.Response.StatusCode
	switch code := answer.ErrorCode; {
	case code == "invalid_grant" && (w.skew() > maxSkew || strings.Contains(description, "timeframe")):
		return hintClock
	case code == "invalid_grant" && kind == ServiceAccount && strings.Contains(description, "email"):
		return hintNoSubject
	case kind == ServiceAccount && (code == "invalid_grant" || slices.Contains(clientRefusals, code)): // it has no OAuth client
		return hintKeyRevoked
	case code == "invalid_grant" && kind == AuthorizedUser:
		return hintUserRevoked
	case code == "invalid_grant":
		return hintRevoked
	case slices.Contains(clientRefusals, code):
		return hintClient
	case slices.Contains(scopeRefusals, code):
		return hintDelegation
	case status == http.StatusTooManyRequests || status >= http.StatusInternalServerError:
		return hintBusy
	case code == "":
		return hintProxy
	}
	return hintRefused
}

// refusalForm is what RFC 6749 lets an error code be, and all that is shown.
var refusalForm = regexp.MustCompile(`^[a-z_]{1,40}$`)

func readRefusal(body []byte) (code, description string) {
	var answer struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	_ = json.Unmarshal(body, &answer) // what is no JSON has no code
	return answer.Error, answer.Description
}

func isCertificate(err error) bool {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	return errors.As(err, &unknown) || errors.As(err, &invalid) || errors.As(err, &host)
}

// maxSkew is how wrong a clock may be: Google takes an assertion that was issued
// a few minutes ahead.
const maxSkew = 5 * time.Minute

// wire is the transport of one fetch, which remembers what x/oauth2 forgets.
type wire struct {
	base http.RoundTripper
	err  error
	date string
}

// RoundTrip sends a request and keeps how it went.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := w.base.RoundTrip(r)
	if w.err = err; err == nil {
		w.date = response.Header.Get("Date")
		response.Body = &watched{response.Body, w}
	}
	return response, err
}

// watched is a body that tells wire of a connection that broke.
type watched struct {
	io.ReadCloser
	w *wire
}

// Read reads, and keeps what went wrong.
func (b *watched) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.w.err = err
	}
	return n, err
}

// skew is how far this machine's clock is from the server's; zero if unknown.
func (w *wire) skew() time.Duration {
	date, err := http.ParseTime(w.date)
	if err != nil {
		return 0
	}
	return time.Since(date).Abs()
}
