package delivery_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// verdict is what the witness, the journal and the callers say together.
type verdict struct {
	lost, doubled, unlisted, left, unrecorded []string
	accepted, uncertain, pending              int // parts
}

var (
	titleForm = regexp.MustCompile(`E-(\d{6})\.`)
	partForm  = regexp.MustCompile(`\((\d)/\d\)`)
)

// witnessed counts the messages of each part of each job.
func witnessed(fake *telegramtest.Server) map[[2]int]int {
	all := map[[2]int]int{}
	for _, m := range fake.Messages(crowd) {
		heading := m.Text[:min(len(m.Text), 60)]
		n, _ := strconv.Atoi(titleForm.FindStringSubmatch(heading)[1])
		part := 0
		if found := partForm.FindStringSubmatch(heading); found != nil {
			part, _ = strconv.Atoi(found[1])
			part--
		}
		all[[2]int{n, part}]++
	}
	return all
}

// records are all deliveries of a journal, texts included, by job.
func records(tb testing.TB, j ccm.Journal) map[int][]ccm.Record {
	tb.Helper()
	all := map[int][]ccm.Record{}
	for f := (ccm.Filter{Limit: ccm.MaxPage}); ; {
		page, err := j.List(tb.Context(), f)
		if err != nil {
			tb.Fatal(err)
		}
		for _, listed := range page.Records {
			r, err := j.Find(tb.Context(), listed.ID)
			if err != nil {
				tb.Fatal(err)
			}
			n, _ := strconv.Atoi(titleForm.FindStringSubmatch(string(r.Request))[1])
			all[n] = append(all[n], r)
		}
		if f.Cursor = page.Next; f.Cursor == "" {
			return all
		}
	}
}

// listed are the ids of the deliveries in a state.
func listed(tb testing.TB, j ccm.Journal, s ccm.State) []string {
	tb.Helper()
	var all []string
	for f := (ccm.Filter{State: s, Limit: ccm.MaxPage}); ; {
		page, err := j.List(tb.Context(), f)
		if err != nil {
			tb.Fatal(err)
		}
		for _, r := range page.Records {
			all = append(all, r.ID)
		}
		if f.Cursor = page.Next; f.Cursor == "" {
			return all
		}
	}
}

// judge compares, once nothing is held any more:
//
//   - lost: the journal or the caller was told that a part arrived which did not.
//     Or a delivery has a part that is neither in the chat nor in doubt, though it
//     had a key, or somebody had begun to send it.
//   - doubled: a part is in the chat twice, or is there and might be sent again,
//     or is there although its caller was told that nothing had begun.
//   - unlisted: a part in doubt that no list shows.
//   - unrecorded: a part that is in the chat, and not in the journal.
func judge(tb testing.TB, f *fleet, j ccm.Journal, jobs []job) verdict {
	tb.Helper()
	var v verdict
	seen, known := witnessed(f.fake), records(tb, j)
	doubts := listed(tb, j, ccm.Uncertain)
	for at, times := range seen {
		v.accepted++
		if times > 1 {
			v.doubled = append(v.doubled, fmt.Sprintf("job %d part %d: %d times", at[0], at[1], times))
		}
		if len(known[at[0]]) == 0 {
			v.unrecorded = append(v.unrecorded, fmt.Sprintf("job %d part %d", at[0], at[1]))
		}
	}
	for _, todo := range jobs {
		v.judgeJob(todo, f.answers[todo.N], known[todo.N], seen, doubts)
	}
	return v
}

func (v *verdict) judgeJob(todo job, answer ccm.Code, known []ccm.Record, seen map[[2]int]int, doubts []string) {
	told := answer == "" // that all arrived
	if len(known) == 0 && (told || todo.Key != "") {
		v.lost = append(v.lost, fmt.Sprintf("job %d: %q, and no delivery", todo.N, answer))
	}
	for _, r := range known {
		begun := slices.ContainsFunc(r.Parts, func(p ccm.PartResult) bool { return p.State != ccm.Pending })
		for i, p := range r.Parts {
			name := fmt.Sprintf("job %d (%s) part %d of %d: %s, answered %q, key %q", todo.N, r.ID, i, len(r.Parts), p.State, answer, todo.Key)
			there := seen[[2]int{todo.N, i}] > 0
			if there && answer == ccm.CodeInternal { // its Begin failed, and who asked may have asked elsewhere
				v.doubled = append(v.doubled, name)
			}
			switch p.State {
			case ccm.Delivered:
				if !there {
					v.lost = append(v.lost, name)
				}
			case ccm.Uncertain:
				v.uncertain++
				if !slices.Contains(doubts, r.ID) {
					v.unlisted = append(v.unlisted, name)
				}
			case ccm.Pending:
				v.pending++
				if there {
					v.doubled = append(v.doubled, name)
				}
				if begun || todo.Key != "" {
					v.left = append(v.left, name)
				}
			default:
				v.left = append(v.left, name)
			}
			// Who is told that a part arrived may know more than the journal: the
			// process may have died before it could write that down.
			if told && p.State != ccm.Delivered && (!there || p.State != ccm.Uncertain) {
				v.lost = append(v.lost, name)
			}
		}
	}
}
