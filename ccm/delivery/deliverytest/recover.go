package deliverytest

import (
	"errors"
	"sync"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
)

func recoverOne(t *testing.T, j ccm.Journal) ccm.Record {
	t.Helper()
	r, err := j.Recover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// died begins a delivery of three parts in a process that dies after before.
func died(t *testing.T, p Place, before func(j ccm.Journal, r ccm.Record)) ccm.Record {
	t.Helper()
	j := p.Open()
	r := begin(t, j, "k", 3)
	before(j, r)
	p.Kill(j)
	return r
}

func testNothingToRecover(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	is.Equal(recoverOne(t, j).ID, "")
	finish(t, j, begin(t, j, "", 1))
	r := begin(t, j, "k", 2)
	write(t, j, r, 0, sent(1))
	for _, j := range []ccm.Journal{j, p.Open()} {
		is.Equal(recoverOne(t, j).ID, "") // it is held
	}
	end(t, j, r)
	is.Equal(recoverOne(t, p.Open()).ID, "") // it ended as it is
}

func testRecover(t *testing.T, p Place) {
	needKill(t, p)
	is, j := is.New(t), p.Open()
	first := died(t, p, func(j ccm.Journal, r ccm.Record) { write(t, j, r, 0, sent(1)) })
	is.Equal(recoverOne(t, j).ID, "") // its lease holds
	_, code := resume(t, j, "f")
	is.Equal(code, ccm.CodeKeyBusy)
	p.Pass(lease)
	is.Equal(find(t, j, first.ID).State, ccm.Pending)
	is.Equal(ids(t, j, ccm.Filter{State: ccm.Pending}), []string{first.ID})
	is.Equal(ids(t, j, ccm.Filter{State: ccm.Sending}), []string{})
	r := recoverOne(t, j)
	is.Equal(r.ID, first.ID)
	is.Equal(r.State, ccm.Sending)
	is.Equal(states(r), []ccm.State{ccm.Delivered, ccm.Pending, ccm.Pending})
	is.Equal(r.Parts[1].Part, parts(3)[1])
	is.Equal(string(r.Request), `{"days":7}`)
	is.Equal(r.To.Chat, chat)
	is.Equal(recoverOne(t, p.Open()).ID, "") // it is held again
	write(t, j, r, 1, sent(2))
	write(t, j, r, 2, sent(3))
	end(t, j, r)
	r, _ = resume(t, j, "f")
	is.True(r.Replayed)
	is.Equal(r.State, ccm.Delivered)
	is.Equal(r.Parts[0].Sent.ID, int64(1))
}

func testRecoverSending(t *testing.T, p Place) {
	needKill(t, p)
	is, j := is.New(t), p.Open()
	first := died(t, p, func(j ccm.Journal, r ccm.Record) { mark(t, j, r, 0, failed(ccm.Sending)) })
	p.Pass(lease)
	is.Equal(find(t, j, first.ID).State, ccm.Uncertain)
	is.Equal(states(find(t, j, first.ID))[0], ccm.Uncertain)
	is.Equal(ids(t, j, ccm.Filter{State: ccm.Uncertain}), []string{first.ID})
	known, _ := resume(t, j, "f")
	is.True(known.Replayed) // nothing is sent by a repetition
	r := recoverOne(t, j)
	is.Equal(r.ID, first.ID)
	is.Equal(states(r), []ccm.State{ccm.Uncertain, ccm.Pending, ccm.Pending})
	again := j.Mark(t.Context(), r.ID, 0, failed(ccm.Sending))
	is.Equal(ccm.CodeOf(again), ccm.CodeDeliveryBusy)
	write(t, j, r, 1, sent(2))
	write(t, j, r, 2, sent(3))
	end(t, j, r)
	is.Equal(states(find(t, j, first.ID)), []ccm.State{ccm.Uncertain, ccm.Delivered, ccm.Delivered})
	is.Equal(recoverOne(t, j).ID, "")
}

// testRecoverUnconfirmed: whose Begin did not return may have gone on without
// the journal.
func testRecoverUnconfirmed(t *testing.T, p Place) {
	needKill(t, p)
	is, j := is.New(t), p.Open()
	first := died(t, p, func(ccm.Journal, ccm.Record) {})
	p.Pass(lease)
	is.Equal(recoverOne(t, j).ID, "")
	is.Equal(ids(t, j, ccm.Filter{State: ccm.Pending}), []string{first.ID}) // a person sees it
	r, _ := resume(t, j, "f")
	is.Equal(r.ID, first.ID) // and its key goes on with it
	is.True(!r.Replayed)
	finish(t, j, r)
	is.Equal(find(t, j, first.ID).State, ccm.Delivered)
}

func testRecoverWindow(t *testing.T, p Place) {
	needKill(t, p)
	is, j := is.New(t), p.Open()
	first := died(t, p, func(j ccm.Journal, r ccm.Record) {
		write(t, j, r, 0, sent(1))
		mark(t, j, r, 1, failed(ccm.Sending))
	})
	p.Pass(ccm.RecoverWindow)
	is.Equal(recoverOne(t, j).ID, "")
	r := find(t, j, first.ID)
	is.Equal(states(r), []ccm.State{ccm.Delivered, ccm.Uncertain, ccm.Pending})
	is.True(!r.EndedAt.IsZero())
	_, err := j.Reopen(t.Context(), first.ID, "Ana") // she decides
	is.NoErr(err)
}

func testResumeAbandoned(t *testing.T, p Place) {
	needKill(t, p)
	is, j := is.New(t), p.Open()
	first := died(t, p, func(j ccm.Journal, r ccm.Record) { write(t, j, r, 0, sent(1)) })
	p.Pass(lease)
	r, code := resume(t, j, "f")
	is.Equal(code, ccm.Code(""))
	is.True(!r.Replayed)
	is.Equal(r.ID, first.ID)
	_, code = resume(t, p.Open(), "f")
	is.Equal(code, ccm.CodeKeyBusy)
	is.Equal(recoverOne(t, p.Open()).ID, "")
}

func testLostClaim(t *testing.T, p Place) {
	needKill(t, p)
	is := is.New(t)
	slow, j := p.Open(), p.Open()
	first := begin(t, slow, "k", 3)
	write(t, slow, first, 0, sent(1))
	p.Pass(lease)
	r := recoverOne(t, j)
	is.Equal(r.ID, first.ID)
	is.True(errors.Is(slow.Mark(t.Context(), first.ID, 1, failed(ccm.Sending)), ccm.ErrClaimLost))
	end(t, slow, first) // that releases nothing
	is.Equal(find(t, j, first.ID).State, ccm.Sending)
	write(t, j, r, 1, sent(2))
	write(t, j, r, 2, sent(3))
	end(t, j, r)
	is.Equal(find(t, j, first.ID).State, ccm.Delivered)
}

func testLateResult(t *testing.T, p Place) {
	needKill(t, p)
	for name, c := range map[string]struct{ late, want ccm.PartResult }{
		"sent":      {sent(9), sent(9)},
		"refused":   {failed(ccm.Refused), failed(ccm.Uncertain)}, // of one write; there may have been another
		"not sent":  {failed(ccm.Pending), failed(ccm.Uncertain)},
		"uncertain": {failed(ccm.Uncertain), failed(ccm.Uncertain)},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			slow, j := p.Open(), p.Open()
			first := begin(t, slow, "", 2)
			mark(t, slow, first, 0, failed(ccm.Sending))
			p.Pass(lease)
			r := recoverOne(t, j)
			is.Equal(r.ID, first.ID)
			write(t, j, r, 1, sent(2))
			end(t, j, r)
			is.NoErr(slow.Mark(t.Context(), first.ID, 0, c.late))
			got := find(t, j, first.ID)
			is.Equal(states(got), []ccm.State{c.want.State, ccm.Delivered})
			is.Equal(got.Parts[0].Sent.ID, c.want.Sent.ID)
			is.Equal(got.State, c.want.State)
			is.Equal(len(ids(t, j, ccm.Filter{State: c.want.State})) > 0, true)
		})
	}
}

func testRecoverTogether(t *testing.T, p Place) {
	needTransactions(t, p)
	needKill(t, p)
	is := is.New(t)
	const many = 30
	dying := p.Open()
	for range many {
		r := begin(t, dying, "", 2)
		write(t, dying, r, 0, sent(1))
	}
	p.Kill(dying)
	p.Pass(lease)
	var all sync.WaitGroup
	var mu sync.Mutex
	found := map[string]int{}
	for range 3 {
		j := p.Open()
		all.Go(func() {
			for {
				r, err := j.Recover(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if r.ID == "" {
					return
				}
				mu.Lock()
				found[r.ID]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	is.Equal(len(found), many)
	for _, times := range found {
		is.Equal(times, 1)
	}
}
