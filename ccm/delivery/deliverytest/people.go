package deliverytest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
)

func list(t *testing.T, j ccm.Journal, f ccm.Filter) ccm.Page {
	t.Helper()
	page, err := j.List(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// ids are those of a page, and of all pages behind it.
func ids(t *testing.T, j ccm.Journal, f ccm.Filter) []string {
	t.Helper()
	all := []string{}
	for {
		page := list(t, j, f)
		for _, r := range page.Records {
			all = append(all, r.ID)
		}
		if page.Next == "" {
			return all
		}
		f.Cursor = page.Next
	}
}

func testFilters(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	is.Equal(list(t, j, ccm.Filter{}), ccm.Page{Records: []ccm.Record{}}) // nothing yet, and not nil

	uncertain := begin(t, j, "", 1)
	write(t, j, uncertain, 0, failed(ccm.Uncertain))
	end(t, j, uncertain)
	p.Pass(time.Hour)
	refused := begin(t, j, "", 1)
	write(t, j, refused, 0, failed(ccm.Refused))
	end(t, j, refused)
	pending := begin(t, j, "", 1)
	end(t, j, pending)
	p.Pass(time.Hour)
	d := delivery("", 1)
	d.Report, d.To.Chat = "alert", "@canal"
	alert := finish(t, j, beginIt(t, j, d))
	busy := begin(t, j, "k", 1)

	hourAgo := find(t, j, alert.ID).BeganAt.Add(-time.Hour / 2)
	longAgo := hourAgo.Add(-time.Hour)
	for name, c := range map[string]struct {
		filter ccm.Filter
		want   []string
	}{
		"all":          {ccm.Filter{}, []string{busy.ID, alert.ID, pending.ID, refused.ID, uncertain.ID}},
		"sent":         {ccm.Filter{State: ccm.Delivered}, []string{alert.ID}},
		"refused":      {ccm.Filter{State: ccm.Refused}, []string{refused.ID}},
		"uncertain":    {ccm.Filter{State: ccm.Uncertain}, []string{uncertain.ID}},
		"pending":      {ccm.Filter{State: ccm.Pending}, []string{pending.ID}},
		"under way":    {ccm.Filter{State: ccm.Sending}, []string{busy.ID}},
		"discarded":    {ccm.Filter{State: ccm.Discarded}, []string{}},
		"report":       {ccm.Filter{Report: "alert"}, []string{alert.ID}},
		"chat":         {ccm.Filter{Chat: chat}, []string{busy.ID, pending.ID, refused.ID, uncertain.ID}},
		"other chat":   {ccm.Filter{Chat: "@CANAL"}, []string{}},
		"from":         {ccm.Filter{From: hourAgo}, []string{busy.ID, alert.ID}},
		"to":           {ccm.Filter{To: longAgo}, []string{uncertain.ID}},
		"from and to":  {ccm.Filter{From: longAgo, To: hourAgo}, []string{pending.ID, refused.ID}},
		"of all times": {ccm.Filter{From: time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(10_000, 1, 1, 6, 0, 0, 0, time.UTC)}, []string{busy.ID, alert.ID, pending.ID, refused.ID, uncertain.ID}},
		"far ahead":    {ccm.Filter{From: time.Date(10_000, 1, 1, 6, 0, 0, 0, time.UTC)}, []string{}},
		"all together": {ccm.Filter{State: ccm.Refused, Report: report, Chat: chat, From: longAgo, To: hourAgo}, []string{refused.ID}},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			is.Equal(ids(t, p.Open(), c.filter), c.want)
			c.filter.Limit = 1
			is.Equal(ids(t, j, c.filter), c.want)
		})
	}
	t.Run("from is included, and to is not", func(t *testing.T) {
		is, at := is.New(t), find(t, j, uncertain.ID).BeganAt
		is.Equal(ids(t, j, ccm.Filter{From: at, To: at.Add(time.Microsecond)}), []string{uncertain.ID})
		is.Equal(ids(t, j, ccm.Filter{To: at}), []string{})
	})
}

// testPages: new deliveries do not shift the pages of a list that has begun.
func testPages(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	const many = 23
	var want []string
	for range many {
		want = append([]string{begin(t, j, "", 1).ID}, want...)
	}
	got := map[string]bool{}
	f := ccm.Filter{Limit: 5}
	for pages := 1; ; pages++ {
		page := list(t, j, f)
		for _, r := range page.Records {
			is.True(!got[r.ID]) // twice
			got[r.ID] = true
		}
		if page.Next == "" {
			is.Equal(pages, 5)
			break
		}
		is.Equal(len(page.Records), 5)
		f.Cursor = page.Next
		begin(t, j, "", 1)
	}
	is.Equal(len(got), many)
	for _, id := range want {
		is.True(got[id])
	}
	huge := base64.RawURLEncoding.EncodeToString([]byte("253402300800000000 " + want[0])) // in the year 10000
	for _, cursor := range []string{"x", "%%", "MTIzIA", "LTEg", want[0], huge} {
		_, err := j.List(t.Context(), ccm.Filter{Cursor: cursor})
		is.Equal(ccm.CodeOf(err), ccm.CodeInvalidRequest)
	}
}

func testListWithoutTexts(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	d := delivery("k", 2)
	d.Meta.RecordCount = 8
	r := beginIt(t, j, d)
	write(t, j, r, 0, sent(7))
	write(t, j, r, 1, failed(ccm.Refused))
	end(t, j, r)
	page := list(t, j, ccm.Filter{})
	is.Equal(len(page.Records), 1)
	got := page.Records[0]
	is.Equal(got.Key, "k")
	is.Equal(got.Meta.RecordCount, 8)
	is.Equal(states(got), []ccm.State{ccm.Delivered, ccm.Refused})
	is.Equal(got.Parts[0].Sent.ID, int64(7))
	is.Equal(len(got.Request), 0)
	for _, part := range got.Parts {
		is.Equal(part.Part.HTML+part.Part.Plain+string(part.Sent.Raw), "")
	}
	is.Equal(find(t, j, r.ID).Parts[0].Part, d.Parts[0]) // the list took them from nobody
}

func testLimits(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	for range ccm.DefaultPage + 1 {
		begin(t, j, "", 1)
	}
	for limit, want := range map[int]int{0: ccm.DefaultPage, 1: 1, 51: 51, ccm.MaxPage + 1: 51, -1: 1} {
		is.Equal(len(list(t, j, ccm.Filter{Limit: limit}).Records), want)
	}
	is.Equal(list(t, j, ccm.Filter{Limit: 51}).Next, "")
}

func testUnknown(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	for _, id := range []string{"", "nobody", "' OR 1=1 --", "ñandú", fmt.Sprintf("%300d", 1)} {
		_, err := j.Find(t.Context(), id)
		is.Equal(ccm.CodeOf(err), ccm.CodeUnknownDelivery)
		_, err = j.Reopen(t.Context(), id, "Ana")
		is.Equal(ccm.CodeOf(err), ccm.CodeUnknownDelivery)
		_, err = j.Discard(t.Context(), id, "Ana")
		is.Equal(ccm.CodeOf(err), ccm.CodeUnknownDelivery)
	}
}

// mixed is a delivery with parts in every state that a person decides about.
func mixed(t *testing.T, j ccm.Journal) ccm.Record {
	t.Helper()
	r := begin(t, j, "k", 4)
	write(t, j, r, 0, sent(1))
	write(t, j, r, 1, failed(ccm.Uncertain))
	write(t, j, r, 2, failed(ccm.Refused))
	end(t, j, r)
	return r
}

func testReopen(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	first := mixed(t, j)
	other := p.Open()
	r, err := other.Reopen(t.Context(), first.ID, "Ana María Ñ.")
	is.NoErr(err)
	is.Equal(r.State, ccm.Sending)
	is.Equal(states(r), []ccm.State{ccm.Delivered, ccm.Pending, ccm.Pending, ccm.Pending})
	is.Equal([]bool{r.Parts[0].Doubtful, r.Parts[1].Doubtful, r.Parts[2].Doubtful, r.Parts[3].Doubtful}, []bool{false, true, false, false})
	is.Equal(r.Parts[1].Part, parts(2)[1])
	is.Equal(len(r.Decisions), 1)
	is.Equal(r.Decisions[0].Action, ccm.Resend)
	is.Equal(r.Decisions[0].Who, "Ana María Ñ.")
	is.True(!r.Decisions[0].At.Before(r.BeganAt))

	for _, j := range []ccm.Journal{j, other} { // it is claimed
		_, err = j.Reopen(t.Context(), first.ID, "Eva")
		is.Equal(ccm.CodeOf(err), ccm.CodeDeliveryBusy)
		_, code := resume(t, j, "f")
		is.Equal(code, ccm.CodeKeyBusy)
	}
	write(t, other, r, 1, sent(2))
	write(t, other, r, 2, failed(ccm.Refused))
	end(t, other, r)
	r = find(t, j, first.ID)
	is.Equal(states(r), []ccm.State{ccm.Delivered, ccm.Delivered, ccm.Refused, ccm.Pending})
	is.True(r.Parts[1].Doubtful) // it stays known
	r, err = j.Reopen(t.Context(), first.ID, "Eva")
	is.NoErr(err)
	is.Equal(len(r.Decisions), 2)
	is.Equal(r.Decisions[1].Who, "Eva")
}

func testDiscard(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	first := mixed(t, j)
	for range 2 {
		r, err := p.Open().Discard(t.Context(), first.ID, "Ana")
		is.NoErr(err)
		is.Equal(states(r), []ccm.State{ccm.Delivered, ccm.Discarded, ccm.Discarded, ccm.Discarded})
		is.Equal(r.State, ccm.Discarded)
		is.Equal(len(r.Decisions), 1)
		is.Equal(r.Decisions[0].Action, ccm.Discard)
		is.Equal(r.Decisions[0].Who, "Ana")
	}
	is.Equal(ids(t, j, ccm.Filter{State: ccm.Discarded}), []string{first.ID})
	is.Equal(ids(t, j, ccm.Filter{State: ccm.Uncertain}), []string{})
}

// testDiscardWaiting: what waits, for Telegram say, is a person's to discard, and
// whoever held it writes nothing more.
func testDiscardWaiting(t *testing.T, p Place) {
	for name, discarder := range map[string]func(ccm.Journal) ccm.Journal{
		"by who holds it": func(j ccm.Journal) ccm.Journal { return j },
		"by another":      func(ccm.Journal) ccm.Journal { return p.Open() },
	} {
		t.Run(name, func(t *testing.T) {
			is, j := is.New(t), p.Open()
			first := begin(t, j, "", 2)
			write(t, j, first, 0, sent(1))
			r, err := discarder(j).Discard(t.Context(), first.ID, "Ana")
			is.NoErr(err)
			is.Equal(r.State, ccm.Discarded)
			is.True(errors.Is(j.Mark(t.Context(), first.ID, 1, failed(ccm.Sending)), ccm.ErrClaimLost))
			end(t, j, first)
			found := find(t, p.Open(), first.ID)
			is.Equal(states(found), []ccm.State{ccm.Delivered, ccm.Discarded})
			is.Equal(found.State, ccm.Discarded)
			is.Equal(len(found.Decisions), 1)
			is.True(!found.EndedAt.IsZero())
			is.Equal(recoverOne(t, j).ID, "")
		})
	}
}

func testNothingToDecide(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	done := finish(t, j, begin(t, j, "", 2))
	busy := begin(t, j, "", 1)
	mark(t, j, busy, 0, failed(ccm.Sending))
	for id, want := range map[string]ccm.Code{done.ID: ccm.CodeDeliverySent, busy.ID: ccm.CodeDeliveryBusy} {
		_, err := j.Reopen(t.Context(), id, "Ana")
		is.Equal(ccm.CodeOf(err), want)
		_, err = j.Discard(t.Context(), id, "Ana")
		is.Equal(ccm.CodeOf(err), want)
		is.Equal(len(find(t, j, id).Decisions), 0)
	}
}

func testChangedMind(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	first := mixed(t, j)
	_, err := j.Discard(t.Context(), first.ID, "Ana")
	is.NoErr(err)
	r, err := j.Reopen(t.Context(), first.ID, "Ana")
	is.NoErr(err)
	is.Equal(states(r), []ccm.State{ccm.Delivered, ccm.Pending, ccm.Pending, ccm.Pending})
	is.True(r.Parts[1].Doubtful) // the doubt is as old as it was
	is.True(!r.Parts[2].Doubtful)
	is.Equal(len(r.Decisions), 2)
}

// testDoubtKeepsKey: what may have arrived at first is not forgotten because it
// was refused when a person had it sent again.
func testDoubtKeepsKey(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	first := begin(t, j, "k", 1)
	write(t, j, first, 0, failed(ccm.Uncertain))
	end(t, j, first)
	r, err := j.Reopen(t.Context(), first.ID, "Ana")
	is.NoErr(err)
	write(t, j, r, 0, failed(ccm.Refused))
	end(t, j, r)
	again, code := resume(t, j, "f")
	is.Equal(code, ccm.Code(""))
	is.Equal(again.ID, first.ID)
	is.True(again.Parts[0].Doubtful)
}

// testDecidedKey: who repeats the request learns what was decided.
func testDecidedKey(t *testing.T, p Place) {
	is, j := is.New(t), p.Open()
	first := begin(t, j, "k", 2)
	write(t, j, first, 0, sent(1))
	end(t, j, first)
	_, err := j.Discard(t.Context(), first.ID, "Ana")
	is.NoErr(err)
	r, code := resume(t, j, "f")
	is.Equal(code, ccm.Code(""))
	is.True(r.Replayed) // and nothing is sent that a person discarded
	is.Equal(states(r), []ccm.State{ccm.Delivered, ccm.Discarded})
}
