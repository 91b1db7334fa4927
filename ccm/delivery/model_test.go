package delivery_test

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/telegram"
)

// The model is the journal and its users on a virtual clock: every step of every
// one of them may be the last, every answer of the journal may be lost, and every
// statement may arrive late, after its sender has given it up. It takes the very
// steps of package ccm (Note, Abandon, Reopen, Discard); around them it does what
// the statements of this package do.

func TestModel(t *testing.T) {
	is := is.New(t)
	total := count{}
	for seed := range uint64(schedules) {
		w := newWorld(seed, rightOrder)
		w.play()
		if found := w.violations(); len(found) > 0 {
			t.Fatalf("schedule %d: %v\n%v", seed, found, w.log)
		}
		total.add(w)
	}
	t.Logf("%d schedules: %+v", schedules, total)
	// It went where it hurts.
	is.True(total.Crashes > schedules/10 && total.Lost > schedules/10 && total.Late > schedules/10)
	is.True(total.Uncertain > schedules/10 && total.Recovered > schedules/20 && total.Reopened > schedules/50 && total.Without > schedules/50)
	is.True(total.Accepted > schedules)
}

// TestTheModelBites: in a wrong order, or with a wrong recovery, it finds what is
// wrong.
func TestTheModelBites(t *testing.T) {
	if schedules < 100_000 {
		t.Skip("what is rare is not found in so few schedules")
	}
	for _, order := range []string{markFirst, markLast, retryDoubts, trustAnyClaim, forgetSteps, trustAnyResult} {
		t.Run(order, func(t *testing.T) {
			for seed := range uint64(schedules) {
				w := newWorld(seed, order)
				w.play()
				if found := w.violations(); len(found) > 0 {
					t.Logf("after %d schedules: %v", seed+1, found[0])
					return
				}
			}
			t.Error("nothing was found")
		})
	}
}

// More that would be wrong.
const (
	retryDoubts   = "recovery sends what was being written"
	trustAnyClaim = "recovery sends what its caller may have given up"

	forgetSteps    = "a statement that arrives late counts"
	trustAnyResult = "who lost the claim says that a part was refused"
)

type count struct{ Crashes, Lost, Late, Accepted, Uncertain, Recovered, Reopened, Without int }

func (c *count) add(w *world) {
	c.Crashes += w.Crashes
	c.Lost += w.Lost
	c.Late += w.Late
	c.Accepted += w.Accepted
	c.Uncertain += w.Uncertain
	c.Recovered += w.Recovered
	c.Reopened += w.Reopened
	c.Without += w.Without
}

// modelRow is a delivery in the tables.
type modelRow struct {
	ccm.Record
	owner     int // 0: nobody
	lease     int // until when
	step      int // of the owner's last statement
	confirmed bool
	keyed     bool // it has the key
	accepted  []int
	twice     int // how often a person had it sent again
}

const modelLease = 8

type world struct {
	count
	rng    *rand.Rand
	order  string
	faults bool
	keyed  bool
	parts  int
	now    int
	owners int
	rows   []*modelRow
	late   []func() // statements on their way
	actors []*actor
	calls  []*modelCall
	log    []string
}

// modelCall is what one caller did without the journal.
type modelCall struct {
	owner    int
	accepted []int // beside the journal
}

func newWorld(seed uint64, order string) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 7)), order: order, faults: true}
	w.keyed, w.parts = w.rng.IntN(3) > 0, 1+w.rng.IntN(3)
	return w
}

func (w *world) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf("%d: ", w.now)+fmt.Sprintf(format, args...))
}

// play runs some actors in a random order, and then what is left in peace.
func (w *world) play() {
	for range 1 + w.rng.IntN(3) {
		w.enter((*actor).call)
	}
	for steps := 0; steps < 200 && (len(w.actors) > 0 || len(w.late) > 0); steps++ {
		w.step()
	}
	w.faults = false
	for len(w.actors) > 0 || len(w.late) > 0 {
		w.step()
	}
	for range 2 + 2*len(w.rows) { // somebody lives
		w.now += 2 * modelLease
		w.enter((*actor).rescue)
		for len(w.actors) > 0 {
			w.step()
		}
	}
}

// step lets one thing happen.
func (w *world) step() {
	w.now++
	dice := w.rng.IntN(100)
	switch {
	case w.faults && dice < 4:
		w.enter((*actor).rescue)
	case w.faults && dice < 6 && w.keyed:
		w.enter((*actor).call) // as cron does
	case w.faults && dice < 8:
		w.enter((*actor).person)
	case w.faults && dice < 10:
		w.now += w.rng.IntN(2 * modelLease) // everybody is slow
	case len(w.late) > 0 && (dice < 20 || len(w.actors) == 0):
		i := w.rng.IntN(len(w.late))
		statement := w.late[i]
		w.late = slices.Delete(w.late, i, i+1)
		statement()
	case len(w.actors) > 0:
		w.move(w.rng.IntN(len(w.actors)))
	}
}

// move lets an actor do its next step, or die before it.
func (w *world) move(i int) {
	a := w.actors[i]
	if w.faults && w.rng.IntN(25) == 0 {
		w.Crashes++
		w.note("%d dies", a.owner)
		a.stop()
	} else if _, alive := a.next(); alive {
		return
	}
	w.actors = slices.Delete(w.actors, i, i+1)
}

// actor is a process that has one delivery to see to.
type actor struct {
	w     *world
	owner int
	step  int
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
}

type died struct{}

// enter brings a new actor on.
func (w *world) enter(what func(*actor)) {
	w.owners++
	a := &actor{w: w, owner: w.owners}
	a.next, a.stop = iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			if r := recover(); r != nil && r != any(died{}) {
				panic(r)
			}
		}()
		a.yield = yield
		what(a)
	})
	w.actors = append(w.actors, a)
}

// pause is where others have their turn, and where the actor may die. While it
// lives it renews its claim, unless it is slow.
func (a *actor) pause() {
	if !a.yield(struct{}{}) {
		panic(died{})
	}
}

var errAway = errors.New("away")

// ask has the journal execute a statement, or not, or later, and hears of it, or not.
func (a *actor) ask(statement func() error) error {
	a.pause()
	if !a.w.faults {
		return statement()
	}
	switch a.w.rng.IntN(12) {
	case 0:
		return errAway
	case 1:
		a.w.Lost++
		a.w.note("%d does not hear:", a.owner)
		_ = statement()
		return errAway
	case 2:
		a.w.Late++
		a.w.late = append(a.w.late, func() {
			a.w.note("%d's late statement:", a.owner)
			_ = statement()
		})
		return errAway
	}
	return statement()
}

// call is a caller with an urgent message: where the journal is away when it
// begins, it goes out without.
func (a *actor) call() {
	c := &modelCall{owner: a.owner, accepted: make([]int, a.w.parts)}
	a.w.calls = append(a.w.calls, c)
	var claimed *modelRow
	err := a.ask(func() (err error) {
		claimed, err = a.w.begin(a.owner)
		return err
	})
	switch {
	case errors.Is(err, errAway) && !a.w.keyed: // with a key it may be a repetition, which is its caller's doing
		a.w.Without++
		a.w.note("%d goes without", a.owner)
		for part := range c.accepted {
			a.pause()
			a.w.write(&c.accepted[part])
		}
	case err == nil && claimed != nil:
		a.send(claimed)
	}
}

// rescue is one round of recovery.
func (a *actor) rescue() {
	var claimed *modelRow
	if err := a.ask(func() error { claimed = a.w.recoverOne(a.owner); return nil }); err == nil && claimed != nil {
		a.w.Recovered++
		a.send(claimed)
	}
}

// person decides about something that is not sent.
func (a *actor) person() {
	if len(a.w.rows) == 0 {
		return
	}
	r := a.w.rows[a.w.rng.IntN(len(a.w.rows))]
	reopen := a.w.rng.IntN(3) > 0
	var claimed *modelRow
	err := a.ask(func() error {
		if r.owner != 0 && a.w.now < r.lease && (reopen || r.Writing()) {
			return ccm.ErrDeliveryBusy
		}
		r.Abandon()
		if !reopen {
			changed, err := r.Discard("x", r.BeganAt)
			if changed {
				a.w.note("%d discards %s", a.owner, r.ID)
				r.owner = 0
			}
			return err
		}
		if err := r.Reopen("x", r.BeganAt); err != nil {
			return err
		}
		a.w.Reopened++
		r.twice++
		a.w.claim(r, a.owner, true)
		claimed = r
		return nil
	})
	if err == nil && claimed != nil {
		a.send(claimed)
	}
}

// send does what ccm.Client does with a claimed delivery.
func (a *actor) send(r *modelRow) {
	parts, unsaid := slices.Clone(r.Parts), map[int]ccm.State{}
	for part := range parts {
		if s := parts[part].State; (s == ccm.Pending || s == ccm.Refused) && !a.sendPart(r, part, s, unsaid) {
			break
		}
	}
	for try := 0; try < 3 && a.say(r, unsaid) != nil; try++ {
		continue
	}
	for try := 0; try < 3 && a.ask(func() error { a.w.end(r, a.owner); return nil }) != nil; try++ {
		continue
	}
}

// sendPart writes a part, again where surely it was not sent, and says whether to
// go on with the next.
func (a *actor) sendPart(r *modelRow, part int, state ccm.State, unsaid map[int]ccm.State) bool {
	for range 3 {
		if a.say(r, unsaid) != nil {
			return false
		}
		step := a.nextStep()
		if a.ask(func() error { return a.w.before(r, a.owner, step, part) }) != nil {
			unsaid[part] = state // nothing goes out
			return false
		}
		a.pause()
		if a.w.rng.IntN(3) > 0 {
			a.w.renew(r, a.owner)
		}
		state = a.w.write(&r.accepted[part])
		a.w.note("%d writes part %d: %s", a.owner, part, state)
		a.pause()
		unsaid[part] = state
		_ = a.say(r, unsaid)
		if state != ccm.Pending {
			break
		}
	}
	return state == ccm.Delivered || state == ccm.Uncertain
}

// say tells the journal what it does not know.
func (a *actor) say(r *modelRow, unsaid map[int]ccm.State) error {
	for _, part := range slices.Sorted(maps.Keys(unsaid)) {
		step, state := a.nextStep(), unsaid[part]
		if err := a.ask(func() error { a.w.after(r, a.owner, step, part, state); return nil }); err != nil {
			return err
		}
		delete(unsaid, part)
	}
	return nil
}

func (a *actor) nextStep() int {
	a.step++
	return a.step
}

// write is Telegram's doing, and what the sender learns of it.
func (w *world) write(accepted *int) ccm.State {
	take := func() {
		*accepted++
		w.Accepted++
	}
	switch dice := w.rng.IntN(10); {
	case dice < 6:
		take()
		return ccm.Delivered
	case dice < 7:
		take()
		return ccm.Uncertain
	case dice < 8:
		return ccm.Uncertain
	case dice < 9:
		return ccm.Pending // surely not sent
	}
	return ccm.Refused
}

// violations are what must not be.
func (w *world) violations() (all []string) {
	bad := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	together, again := make([]int, w.parts), 0
	for id, r := range w.rows {
		again += r.twice
		for part, p := range r.Parts {
			n := r.accepted[part]
			together[part] += n
			if p.State == ccm.Uncertain {
				w.Uncertain++
			}
			switch {
			case n > 1+r.twice:
				bad("delivery %d part %d is in the chat %d times", id, part, n)
			case n > 0 && p.State != ccm.Delivered && p.State != ccm.Uncertain && !p.Doubtful:
				bad("delivery %d part %d is in the chat, and %s in the journal", id, part, p.State)
			case n == 0 && p.State == ccm.Delivered:
				bad("delivery %d part %d is lost", id, part)
			}
		}
		if r.owner != 0 {
			bad("delivery %d is still held", id)
		}
	}
	for part, n := range together {
		if w.keyed && n > 1+again {
			bad("part %d of the key is in the chat %d times", part, n)
		}
	}
	for _, c := range w.calls {
		for _, r := range w.rows {
			for part, n := range c.accepted {
				if r.ID == modelID(c.owner) && r.twice == 0 && n > 0 && r.accepted[part] > 0 {
					bad("part %d went out without the journal, and with it", part)
				}
			}
		}
	}
	return all
}

func modelID(owner int) string { return fmt.Sprint("delivery of ", owner) }

// parted are n parts that wait.
func parted(n int) []ccm.PartResult {
	all := make([]ccm.PartResult, n)
	for i := range all {
		all[i] = ccm.PartResult{Part: telegram.Part{Plain: "x"}, State: ccm.Pending}
	}
	return all
}
