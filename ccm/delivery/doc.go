// Package delivery keeps in MySQL what was sent, so that each part of a message
// is sent at most once by itself, over crashes, replicas and restarts.
//
//  1. Give the journal a schema of its own: migrate.Up of
//     [github.com/ccmwf/ccm/ccm/delivery/migrate] makes it.
//  2. [Open] a [Journal] and put it into ccm.Config.Journal. It dials nothing.
//  3. Have [Journal.Purge] called now and then, and [Journal.Close] at the end,
//     after the client's.
//
// In short:
//
//	j, err := delivery.Open(delivery.Config{URL: "mysql://ccm:secret@db/ccm_diario"})
//	defer j.Close()
//	c, err := ccm.Open(ccm.Config{Journal: j, …})
//
// # What it promises
//
// A part is committed as being sent before its write, and with what came of it
// after. Who sends holds a claim: a lease of [Lease] by the database's clock, that
// a goroutine of the Journal renews. When its process dies, [Journal.Recover]
// lets another go on: what was being written is Uncertain, and never sent again
// by itself; parts that were not begun are. Only one writer gets a part, even if
// two believe that they hold the claim. A delivery that nobody is known to have
// begun (its Begin may have failed for its caller, who went on without it) is
// left Pending, for a person or for a repetition of its key.
//
// A claim counts as begun from its first Mark on, or a fifth of a second after it
// was answered. A result that could not be written down is kept, and written once the
// database is back, as long as the process lives.
//
// All that is as good as a commit: innodb_flush_log_at_trx_commit must be 1, which
// is MySQL's default, and a replica that takes over must have what the primary
// committed. https://dev.mysql.com/doc/refman/9.7/en/innodb-parameters.html
//
// # When it fails
//
// Every error but those that [ccm.Journal] names is an [*Error]. It is one of
// [store.ErrUnavailable], [store.ErrDenied], [store.ErrSchema], [store.ErrReadOnly] and
// [store.ErrFull] for errors.Is, or of no kind, and its text says in Spanish what to do.
// None shows the URL.
package delivery
