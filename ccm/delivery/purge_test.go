package delivery_test

import (
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/delivery"
	"github.com/ccmwf/ccm/docker/testenv"
	"github.com/ccmwf/ccm/telegram"
)

const day = 24 * time.Hour

// keep makes a delivery of one part that ended as result says.
func keep(t *testing.T, j *delivery.Journal, result ccm.PartResult) ccm.Record {
	t.Helper()
	is := is.New(t)
	r, err := j.Begin(t.Context(), ccm.Delivery{
		Fingerprint: "f", Report: "alert", Request: []byte(`{"title":"Ana"}`), To: telegram.Target{Chat: "@canal"},
		Parts: []telegram.Part{{HTML: "<b>Ana</b>", Plain: "Ana", UTF16: 3, Entities: 1}},
	})
	is.NoErr(err)
	is.NoErr(j.Mark(t.Context(), r.ID, 0, ccm.PartResult{State: ccm.Sending}))
	is.NoErr(j.Mark(t.Context(), r.ID, 0, result))
	is.NoErr(j.End(t.Context(), r.ID))
	return r
}

func TestPurge(t *testing.T) {
	is := is.New(t)
	url := testenv.MySQL(t)
	migrated(t, url)
	db := connect(t, url)
	j := open(t, delivery.Config{URL: url, Retention: 10 * day})
	acknowledged := ccm.PartResult{State: ccm.Delivered, Sent: telegram.Sent{ID: 7, Chat: "@canal", Raw: []byte(`{"text":"Ana"}`)}}

	old := keep(t, j, acknowledged)
	doubt := keep(t, j, ccm.PartResult{State: ccm.Uncertain})
	const many = 450 // more than two batches
	for range many {
		keep(t, j, acknowledged)
	}
	pass(t, db, 9*day)
	young := keep(t, j, acknowledged)
	got, err := j.Purge(t.Context())
	is.NoErr(err)
	is.Equal(got, delivery.Purged{})
	pass(t, db, day+time.Minute)
	got, err = j.Purge(t.Context())
	is.NoErr(err)
	is.Equal(got, delivery.Purged{Texts: many + 2})

	r, err := j.Find(t.Context(), old.ID)
	is.NoErr(err)
	is.True(r.Purged)
	is.Equal(r.Parts[0].Part.HTML+r.Parts[0].Part.Plain+string(r.Parts[0].Sent.Raw)+string(r.Request), "")
	is.Equal(r.Parts[0].Sent.ID, int64(7)) // that it was sent stays known
	_, err = j.Reopen(t.Context(), doubt.ID, "Ana")
	is.Equal(ccm.CodeOf(err), ccm.CodeDeliveryPurged)
	_, err = j.Discard(t.Context(), doubt.ID, "Ana")
	is.NoErr(err)
	r, err = j.Find(t.Context(), young.ID)
	is.NoErr(err)
	is.True(!r.Purged)
	is.Equal(r.Parts[0].Part.Plain, "Ana")

	pass(t, db, 360*day)
	got, err = j.Purge(t.Context())
	is.NoErr(err)
	is.Equal(got, delivery.Purged{Texts: 1, Rows: many + 2})
	_, err = j.Find(t.Context(), old.ID)
	is.Equal(ccm.CodeOf(err), ccm.CodeUnknownDelivery)
	var parts int
	is.NoErr(db.QueryRow("SELECT COUNT(*) FROM ccm_parts").Scan(&parts))
	is.Equal(parts, 1) // young's
	got, err = j.Purge(t.Context())
	is.NoErr(err)
	is.Equal(got, delivery.Purged{})
}

// TestPurgeLeavesWhatIsHeld: what is being sent is old only by a clock gone wrong.
func TestPurgeLeavesWhatIsHeld(t *testing.T) {
	is := is.New(t)
	url := testenv.MySQL(t)
	migrated(t, url)
	j := open(t, delivery.Config{URL: url})
	r := keep(t, j, ccm.PartResult{State: ccm.Uncertain})
	pass(t, connect(t, url), 29*day)
	_, err := j.Reopen(t.Context(), r.ID, "Ana")
	is.NoErr(err)
	run(t, connect(t, url), "UPDATE ccm_deliveries SET began_at = began_at - INTERVAL 400 DAY")
	got, err := j.Purge(t.Context())
	is.NoErr(err)
	is.Equal(got, delivery.Purged{})
	found, err := j.Find(t.Context(), r.ID)
	is.NoErr(err)
	is.Equal(found.Parts[0].Part.Plain, "Ana")
}

// TestPurgeOfWhatNobodyEnded: the names in a delivery whose process died are
// deleted in time, also where nobody recovers it.
func TestPurgeOfWhatNobodyEnded(t *testing.T) {
	is := is.New(t)
	url := testenv.MySQL(t)
	migrated(t, url)
	db := connect(t, url)
	dead := open(t, delivery.Config{URL: url})
	r, err := dead.Begin(t.Context(), ccm.Delivery{Fingerprint: "f", Report: "alert", Request: []byte(`{"title":"Ana"}`), Parts: []telegram.Part{{HTML: "Ana", Plain: "Ana"}}})
	is.NoErr(err)
	is.NoErr(dead.Mark(t.Context(), r.ID, 0, ccm.PartResult{State: ccm.Sending}))
	is.NoErr(dead.Close())

	j := open(t, delivery.Config{URL: url, Retention: 10 * day})
	pass(t, db, 9*day)
	got, err := j.Purge(t.Context())
	is.NoErr(err)
	is.Equal(got, delivery.Purged{})
	pass(t, db, day+time.Minute+delivery.Lease)
	got, err = j.Purge(t.Context())
	is.NoErr(err)
	is.Equal(got, delivery.Purged{Texts: 1})
	found, err := j.Find(t.Context(), r.ID)
	is.NoErr(err)
	is.True(found.Purged)
	is.Equal(found.Parts[0].Part.HTML+found.Parts[0].Part.Plain+string(found.Request), "")
	is.Equal(found.State, ccm.Uncertain) // that it may have arrived stays known
	got, err = j.Purge(t.Context())
	is.NoErr(err)
	is.Equal(got, delivery.Purged{})
}
