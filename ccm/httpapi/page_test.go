package httpapi_test

import (
	"context"
	"iter"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm/httpapi"
)

// TestDocsPage looks at the page as a person does, under a host's prefix.
func TestDocsPage(t *testing.T) {
	if _, err := exec.LookPath("chromium"); err != nil || testing.Short() {
		t.Skip("needs chromium, and some seconds")
	}
	mux := http.NewServeMux()
	mux.Handle("/ccm/", http.StripPrefix("/ccm", api(t, httpapi.Config{})))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	ctx := browser(t)
	is := is.New(t)
	console := chromedp.Console(ctx)

	is.NoErr(chromedp.Do(ctx,
		chromedp.Navigate(server.URL+"/ccm/docs"),
		chromedp.WaitVisible(chromedp.CSS(`#operations-Telegram-enviarAlerta`)),
	))
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(`#swagger-ui`)))
	is.NoErr(err)
	is.True(strings.Contains(text, "Envía el reporte de próximos ingresos"))

	const health = `#operations-Servicio-salud `
	is.NoErr(chromedp.Do(ctx,
		chromedp.Click(chromedp.CSS(health+`.opblock-summary-control`)),
		chromedp.Click(chromedp.CSS(health+`.try-out__btn`)),
		chromedp.Click(chromedp.CSS(health+`.execute`)),
		chromedp.WaitVisible(chromedp.CSS(health+`.live-responses-table`)),
	))
	answer, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(health+`.live-responses-table`)))
	is.NoErr(err)
	is.True(strings.Contains(answer, `"service": "ccm-api"`)) // «Try it out» reaches the API through the prefix

	is.Equal(complaints(t, ctx, console), nil)
	addresses, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`performance.getEntriesByType("resource").map(e => e.name)`))
	is.NoErr(err)
	is.True(len(addresses) > 3)
	for _, address := range addresses {
		if !strings.HasPrefix(address, server.URL+"/ccm/") && !strings.HasPrefix(address, "data:") {
			t.Errorf("the page asked for %s", address)
		}
	}
}

// browser is a headless one that ends with the test.
func browser(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU)
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(stop)
	return ctx
}

// complaints are the page's errors and warnings until now.
func complaints(t *testing.T, ctx context.Context, console iter.Seq2[chromedp.ConsoleMessage, error]) []string {
	t.Helper()
	is := is.New(t)
	const end = "that is all"
	is.NoErr(chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](`console.log("`+end+`")`)))
	var found []string
	for message, err := range console {
		is.NoErr(err)
		if message.Text == end {
			break
		}
		if message.Type == chromedp.ConsoleError || message.Type == chromedp.ConsoleWarning || message.IsException() {
			found = append(found, message.String())
		}
	}
	return found
}
