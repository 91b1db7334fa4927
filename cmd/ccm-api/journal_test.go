package main

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm/delivery"
)

func TestRecoveryGoesOnUntilTheServiceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		var log bytes.Buffer
		answers := []struct {
			n   int
			err error
		}{{2, nil}, {0, errors.New("away")}, {0, nil}, {1, nil}}
		calls := 0
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		recoverLoop(ctx, newLogger(&log, levels["INFO"], nil), func(context.Context) (int, error) {
			a := answers[min(calls, len(answers)-1)]
			if calls++; calls > len(answers) {
				return 0, nil
			}
			return a.n, a.err
		})
		is.True(calls >= 5 && calls <= 17) // 7.5 to 22.5 s apart
		said := lines(t, &log, "envíos interrumpidos retomados")
		is.Equal(len(said), 2) // what was found; nothing of nothing, nor of the journal that is away
		is.Equal(said[0]["envios"], 2.0)
	})
}

func TestPurgeTellsWhatItDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		var log bytes.Buffer
		calls := 0
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Hour)
		defer cancel()
		purgeLoop(ctx, newLogger(&log, levels["INFO"], nil), func(context.Context) (delivery.Purged, error) {
			switch calls++; calls {
			case 1:
				return delivery.Purged{Texts: 7, Rows: 3}, nil
			case 2:
				return delivery.Purged{}, errors.New("away")
			}
			return delivery.Purged{}, nil
		})
		is.Equal(calls, 3)
		said := lines(t, &log, "diario depurado")
		is.Equal(len(said), 1)
		is.Equal(said[0]["textos_borrados"], 7.0)
		is.Equal(said[0]["envios_borrados"], 3.0)
		is.Equal(len(lines(t, &log, "no se pudo depurar el diario: se reintenta en una hora")), 1)
	})
}
