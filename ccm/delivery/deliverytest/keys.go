package deliverytest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/telegram"
)

func testNewKey(t *testing.T, p Place) { nobodyHas(t, p.Open()) }

func testBusyKey(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	begin(t, j, "k", 2)
	for _, j := range []ccm.Journal{j, p.Open()} {
		_, code := resume(t, j, "f")
		is.Equal(code, ccm.CodeKeyBusy)
		_, err := j.Begin(t.Context(), delivery("k", 2))
		is.Equal(ccm.CodeOf(err), ccm.CodeKeyBusy)
		_, code = resume(t, j, "other")
		is.Equal(code, ccm.CodeKeyReused)
	}
}

func testReplay(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	first := finish(t, j, begin(t, j, "k", 2))
	for _, j := range []ccm.Journal{j, p.Open()} {
		r, code := resume(t, j, "f")
		is.Equal(code, ccm.Code(""))
		is.True(r.Replayed)
		is.Equal(r.ID, first.ID)
		is.Equal(r.State, ccm.Delivered)
		is.Equal(r.Parts[1].Sent.ID, int64(2))
		_, code = resume(t, j, "other")
		is.Equal(code, ccm.CodeKeyReused)
		r, err := j.Begin(t.Context(), delivery("k", 2))
		is.NoErr(err)
		is.True(r.Replayed)
	}
}

// testFaithful compares all that an answer is made of.
func testFaithful(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	branch := 14
	d := delivery("k", 5)
	d.Meta = ccm.Meta{
		Dataset: report, GeneratedAt: time.Date(2026, 11, 25, 1, 2, 3, 456789000, time.UTC), RecordCount: 9, RecordsSkipped: 1,
		Branch: &branch, DurationMS: 1.25, CacheHit: true, Cache: &ccm.CacheMeta{Source: "redis", AgeMS: 12, Stale: true},
		Parameters: map[string]any{"branch_id": 14, "status": []string{"CCM"}}, MessageID: "m-1",
	}
	d.To = telegram.Target{Chat: chat, Thread: 3, Silent: true, Protect: true}
	begun := beginIt(t, j, d)
	late := &telegram.Error{Method: "sendMessage", Outcome: telegram.Uncertain, Err: errLate{}}
	results := []ccm.PartResult{
		sent(7),
		{State: ccm.Uncertain, Err: &ccm.Error{Code: ccm.CodeTelegramTimeout, Message: "Telegram no respondió a tiempo.", Err: late}},
		{State: ccm.Refused, Err: &ccm.Error{Code: ccm.CodeTelegramAPI, Message: "No.", Err: &telegram.Error{
			Method: "sendMessage", Code: 400, Description: "Bad Request: ¿qué?", Outcome: telegram.Refused, MigratedTo: -100,
		}}},
		{State: ccm.Pending, Err: &ccm.Error{Code: ccm.CodeTelegramRateLimited, Message: "Espere.", Err: &telegram.Error{
			Method: "sendMessage", Code: 429, Outcome: telegram.RateLimited, RetryAfter: 33 * time.Second,
		}}},
		{State: ccm.Uncertain, Err: &ccm.Error{Code: ccm.CodeTelegramHTTP, Message: "Se cortó."}},
	}
	for i, result := range results {
		write(t, j, begun, i, result)
	}
	end(t, j, begun)
	r, code := resume(t, p.Open(), "f")
	is.Equal(code, ccm.Code(""))
	is.True(r.Replayed)
	is.Equal(r.To, d.To)
	is.Equal(r.Report, d.Report)
	is.Equal(string(r.Request), string(d.Request))
	is.Equal(asJSON(t, r.Meta), asJSON(t, d.Meta))
	for i, want := range results {
		got := r.Parts[i]
		is.Equal(got.Part, d.Parts[i])
		is.Equal(got.State, want.State)
		is.Equal(asJSON(t, got.Sent), asJSON(t, want.Sent))
		is.Equal(string(got.Sent.Raw), string(want.Sent.Raw))
		sameError(t, got.Err, want.Err)
	}
}

// errLate is a time-out of the network.
type errLate struct{}

func (errLate) Error() string   { return "i/o timeout" }
func (errLate) Timeout() bool   { return true }
func (errLate) Temporary() bool { return true }

func (errLate) Is(target error) bool { return target == context.DeadlineExceeded }

func testRefusal(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	r := begin(t, j, "k", 2)
	write(t, j, r, 0, failed(ccm.Refused))
	end(t, j, r)
	nobodyHas(t, j)
	is.Equal(find(t, j, r.ID).State, ccm.Refused)
	again := begin(t, j, "k", 2)
	is.True(again.ID != r.ID)
}

func testPartial(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	first := begin(t, j, "k", 3)
	write(t, j, first, 0, sent(1))
	write(t, j, first, 1, failed(ccm.Refused))
	end(t, j, first)
	is.Equal(find(t, j, first.ID).State, ccm.Refused)
	other := p.Open()
	r, _ := resume(t, other, "f")
	is.Equal(r.ID, first.ID)
	is.True(!r.Replayed)
	is.Equal(states(r), []ccm.State{ccm.Delivered, ccm.Refused, ccm.Pending})
	is.Equal(r.Parts[2].Part, parts(3)[2]) // as frozen
	_, code := resume(t, j, "f")
	is.Equal(code, ccm.CodeKeyBusy)
	write(t, other, r, 1, sent(2))
	write(t, other, r, 2, sent(3))
	end(t, other, r)
	r, _ = resume(t, j, "f")
	is.True(r.Replayed)
	is.Equal(r.State, ccm.Delivered)
}

func testUncertain(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	first := begin(t, j, "k", 3)
	write(t, j, first, 0, sent(1))
	write(t, j, first, 1, failed(ccm.Uncertain))
	end(t, j, first)
	r, _ := resume(t, j, "f")
	is.True(r.Replayed)
	is.Equal(r.State, ccm.Uncertain)
	is.Equal(states(r), []ccm.State{ccm.Delivered, ccm.Uncertain, ccm.Pending})
}

func testSending(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	first := begin(t, j, "k", 2)
	write(t, j, first, 0, sent(1))
	mark(t, j, first, 1, failed(ccm.Sending))
	is.Equal(find(t, j, first.ID).State, ccm.Sending)
	is.Equal(states(find(t, j, first.ID)), []ccm.State{ccm.Delivered, ccm.Sending})
	end(t, j, first)
	r, _ := resume(t, j, "f")
	is.True(r.Replayed)
	is.Equal(r.State, ccm.Uncertain)
	is.Equal(states(r), []ccm.State{ccm.Delivered, ccm.Uncertain})
}

func testKeyLifetime(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	first := finish(t, j, begin(t, j, "k", 1))
	p.Pass(ccm.KeyLifetime - time.Minute)
	r, _ := resume(t, j, "f")
	is.True(r.Replayed)
	p.Pass(time.Minute)
	nobodyHas(t, j)
	d := delivery("k", 1)
	d.Fingerprint = "other"
	is.True(beginIt(t, j, d).ID != first.ID)
}

func testKeyless(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	first := finish(t, j, begin(t, j, "", 1))
	is.True(begin(t, j, "", 1).ID != first.ID)
	r, err := j.Resume(t.Context(), "", "f")
	is.NoErr(err)
	is.Equal(r.ID, "")
	is.Equal(find(t, j, first.ID).Key, "")
}

func testUnicode(t *testing.T, p Place) {
	j := p.Open()
	long := strings.Repeat("k", ccm.MaxKeyLength-1)
	for name, key := range map[string]string{
		"emoji": "🦤 informe", "accent": "clave", "another accent": "clavé", "case": "CLAVE",
		"blank": "clave ", "long": long + "a", "as long": long + "b", "bytes": "\xff\xfe'\"\\\x00",
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			d := delivery(key, 1)
			text := strings.Repeat("🦤", telegram.MaxText/2)
			d.Parts[0] = telegram.Part{HTML: "<b>" + text + "</b>", Plain: text, UTF16: telegram.MaxText, Entities: 1}
			first := finish(t, j, beginIt(t, j, d))
			r, err := j.Resume(t.Context(), key, "f")
			is.NoErr(err)
			is.True(r.Replayed)
			is.Equal(r.ID, first.ID) // and no other key's
			is.Equal(r.Key, key)
			is.Equal(r.Parts[0].Part, d.Parts[0])
		})
	}
}

func testManyAtOnce(t *testing.T, p Place) {
	needTransactions(t, p)
	is := is.New(t)
	const many = 20
	var all sync.WaitGroup
	records, failures := make([]ccm.Record, many), make([]error, many)
	for i := range many {
		j := p.Open()
		all.Go(func() { records[i], failures[i] = j.Begin(t.Context(), delivery("k", 1)) })
	}
	all.Wait()
	claims := 0
	for i, r := range records {
		if failures[i] == nil {
			claims++
			is.True(r.ID != "" && !r.Replayed)
			continue
		}
		if ccm.CodeOf(failures[i]) != ccm.CodeKeyBusy {
			t.Errorf("who lost got %v", failures[i])
		}
	}
	is.Equal(claims, 1)
}

func testNoPart(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	r := begin(t, j, "k", 2)
	is.True(j.Mark(t.Context(), r.ID, 2, sent(1)) != nil)
	is.True(j.Mark(t.Context(), r.ID, -1, sent(1)) != nil)
	is.True(j.Mark(t.Context(), "nobody", 0, sent(1)) != nil)
	is.True(j.Mark(t.Context(), "nobody", 0, failed(ccm.Sending)) != nil)
	is.NoErr(j.End(t.Context(), "nobody"))
}

// testOneWriter: what is being written, has arrived, or may have, is not written.
func testOneWriter(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	r := begin(t, j, "k", 3)
	mark(t, j, r, 0, failed(ccm.Sending))
	again := j.Mark(t.Context(), r.ID, 0, failed(ccm.Sending))
	is.Equal(ccm.CodeOf(again), ccm.CodeDeliveryBusy)
	mark(t, j, r, 0, failed(ccm.Refused), failed(ccm.Sending), failed(ccm.Pending), failed(ccm.Sending), sent(1))
	again = j.Mark(t.Context(), r.ID, 0, failed(ccm.Sending))
	is.Equal(ccm.CodeOf(again), ccm.CodeDeliveryBusy)
	mark(t, j, r, 0, failed(ccm.Uncertain)) // too late
	write(t, j, r, 1, failed(ccm.Uncertain))
	again = j.Mark(t.Context(), r.ID, 1, failed(ccm.Sending))
	is.Equal(ccm.CodeOf(again), ccm.CodeDeliveryBusy)
	end(t, j, r)
	r = find(t, j, r.ID)
	is.Equal(states(r), []ccm.State{ccm.Delivered, ccm.Uncertain, ccm.Pending})
	is.Equal(r.Parts[0].Sent.ID, int64(1))
}

func testEnded(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	r := begin(t, j, "k", 2)
	write(t, j, r, 0, sent(1))
	end(t, j, r)
	end(t, j, r)
	is.Equal(ccm.CodeOf(j.Mark(t.Context(), r.ID, 1, failed(ccm.Sending))), ccm.CodeDeliveryBusy)
	r = find(t, j, r.ID)
	is.Equal(r.State, ccm.Pending)
	is.True(!r.EndedAt.IsZero() && !r.EndedAt.Before(r.BeganAt))
	is.Equal(states(r), []ccm.State{ccm.Delivered, ccm.Pending})
}

func testReplace(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	first := begin(t, j, "k", 2)
	d := delivery("k", 3)
	d.ID, d.Meta.RecordCount = first.ID, 8
	d.Parts[0].Plain = "otra cosa"
	r, err := j.Begin(t.Context(), d)
	is.NoErr(err)
	is.Equal(r.ID, first.ID)
	is.Equal(len(r.Parts), 3)
	is.Equal(r.Parts[0].Part, d.Parts[0])
	is.Equal(r.Meta.RecordCount, 8)
	is.Equal(find(t, p.Open(), first.ID).Parts[0].Part, d.Parts[0])
	write(t, j, r, 0, sent(1))
	_, err = j.Begin(t.Context(), d)
	is.True(errors.Is(err, ccm.ErrClaimLost)) // something went out
	write(t, j, r, 1, sent(2))
	write(t, j, r, 2, sent(3))
	end(t, j, r)
	_, err = j.Begin(t.Context(), d)
	is.True(errors.Is(err, ccm.ErrClaimLost))
}
