package delivery

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/telegram"
)

// querier is a database, or a transaction in it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// row is a delivery as it is in the tables.
type row struct {
	ccm.Record
	fingerprint string
	owner       sql.NullString
	held        bool // its holder lives
	keyFree     bool // its key has expired
}

// What is read of a delivery d and its parts p; a list leaves the texts out.
const (
	dColumns = `d.id, d.idempotency_key, d.fingerprint, d.report, d.chat, d.thread, d.silent, d.protect, d.meta, d.owner,
 COALESCE(d.lease_until > UTC_TIMESTAMP(6), FALSE),
 COALESCE(d.key_until, d.lease_until + INTERVAL 1 DAY) <= UTC_TIMESTAMP(6),
 d.began_at, d.ended_at, d.purged_at IS NOT NULL, d.decisions`
	pColumns = `p.part, p.state, p.utf16, p.entities, p.doubtful, p.message_id, p.chat, p.attempts, p.degraded, p.sent_at, p.error`

	texts   = `d.request, p.html, p.plain, p.raw`
	noTexts = `NULL, '', '', NULL`

	selectWhole = `SELECT ` + dColumns + `, ` + pColumns + `, ` + texts + `
FROM ccm_deliveries d LEFT JOIN ccm_parts p ON p.delivery_id = d.id `
	byID  = `WHERE d.id = ? ORDER BY p.part`
	byKey = `WHERE d.key_hash = ? ORDER BY p.part`
)

// find reads one delivery; nil if there is none.
func find(ctx context.Context, q querier, where string, arg any) (*row, error) {
	rows, err := read(ctx, q, selectWhole+where, arg)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0], nil
}

// read reads deliveries of which each part is a row.
func read(ctx context.Context, q querier, query string, args ...any) (all []*row, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		one, part, err := scan(rows)
		if err != nil {
			return nil, err
		}
		if len(all) == 0 || all[len(all)-1].ID != one.ID {
			all = append(all, one)
		}
		if part != nil {
			last := all[len(all)-1]
			last.Parts = append(last.Parts, *part)
		}
	}
	for _, r := range all {
		r.settle()
	}
	return all, rows.Err()
}

// settle makes of the rows what the record is now.
func (r *row) settle() {
	if r.held {
		r.State = ccm.Sending
		return
	}
	r.Abandon()
	r.State = r.Outcome()
}

// scan reads one row, which is a delivery with one of its parts.
func scan(rows *sql.Rows) (*row, *ccm.PartResult, error) {
	var r row
	var p ccm.PartResult
	var key, request, decisions, failure, raw, html, plain, state, chat, sentAt, beganAt, endedAt sql.NullString
	var keyFree, doubtful, degraded sql.NullBool
	var part, utf16, entities, message, attempts sql.NullInt64
	var meta string
	err := rows.Scan(&r.ID, &key, &r.fingerprint, &r.Report, &r.To.Chat, &r.To.Thread, &r.To.Silent, &r.To.Protect, &meta, &r.owner,
		&r.held, &keyFree, &beganAt, &endedAt, &r.Purged, &decisions,
		&part, &state, &utf16, &entities, &doubtful, &message, &chat, &attempts, &degraded, &sentAt, &failure,
		&request, &html, &plain, &raw)
	if err != nil {
		return nil, nil, err
	}
	r.Key, r.keyFree = key.String, keyFree.Bool
	if request.Valid {
		r.Request = json.RawMessage(request.String)
	}
	p.State, p.Doubtful = ccm.State(state.String), doubtful.Bool
	p.Part = telegram.Part{HTML: html.String, Plain: plain.String, UTF16: int(utf16.Int64), Entities: int(entities.Int64)}
	p.Sent = telegram.Sent{ID: message.Int64, Chat: chat.String, Attempts: int(attempts.Int64), Degraded: degraded.Bool}
	if raw.Valid {
		p.Sent.Raw = json.RawMessage(raw.String)
	}
	for _, t := range []struct {
		text sql.NullString
		to   *time.Time
	}{{beganAt, &r.BeganAt}, {endedAt, &r.EndedAt}, {sentAt, &p.Sent.At}} {
		if *t.to, err = moment(t.text); err != nil {
			return nil, nil, err
		}
	}
	for _, t := range []struct {
		text sql.NullString
		to   any
	}{{sql.NullString{String: meta, Valid: true}, &r.Meta}, {decisions, &r.Decisions}} {
		if !t.text.Valid {
			continue
		}
		if err := json.Unmarshal([]byte(t.text.String), t.to); err != nil {
			return nil, nil, fmt.Errorf("delivery %s: %w", r.ID, err)
		}
	}
	if p.Err, err = decodeError(failure); err != nil {
		return nil, nil, fmt.Errorf("delivery %s: %w", r.ID, err)
	}
	if !part.Valid {
		return &r, nil, nil
	}
	return &r, &p, nil
}

const momentForm = "2006-01-02 15:04:05.999999"

// moment reads a DATETIME, which is UTC; NULL is the zero time.
func moment(text sql.NullString) (time.Time, error) {
	if !text.Valid {
		return time.Time{}, nil
	}
	return time.Parse(momentForm, text.String)
}

// datetime is a time as a column takes it; the zero time is NULL.
func datetime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(momentForm)
}

// utf8 is what a text column takes; a message goes over the wire like that too.
func utf8(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// jsonText is v as JSON; an empty one is NULL.
func jsonText(v any) (any, error) {
	text, err := json.Marshal(v)
	if err != nil || string(text) == "null" {
		return nil, err
	}
	return string(text), nil
}

// rawText is JSON that was made by another; none is NULL.
func rawText(raw json.RawMessage) any {
	if len(raw) == 0 {
		return nil
	}
	return utf8(string(raw))
}

// insertParts writes the parts of a new delivery. There are none to update: that
// clause has the server refuse at once a user who may not, who would begin
// deliveries and could not mark them.
func insertParts(ctx context.Context, q querier, id string, parts []ccm.PartResult) error {
	var values []string
	var args []any
	for i, p := range parts {
		values = append(values, "(?, ?, ?, ?, ?, ?, ?)")
		args = append(args, id, i, string(p.State), utf8(p.Part.HTML), utf8(p.Part.Plain), p.Part.UTF16, p.Part.Entities)
	}
	if len(parts) == 0 {
		return nil
	}
	_, err := q.ExecContext(ctx, `INSERT INTO ccm_parts (delivery_id, part, state, html, plain, utf16, entities) VALUES `+strings.Join(values, ", ")+` ON DUPLICATE KEY UPDATE part = ccm_parts.part`, args...)
	return err
}

// partSets are the assignments that record a part, and their values.
func partSets(r ccm.PartResult) (string, []any, error) {
	failure, err := encodeError(r.Err)
	if err != nil {
		return "", nil, err
	}
	s := r.Sent
	return `p.state = ?, p.doubtful = ?, p.message_id = ?, p.chat = ?, p.attempts = ?, p.degraded = ?, p.sent_at = ?, p.raw = ?, p.error = ?`,
		[]any{string(r.State), r.Doubtful, s.ID, utf8(s.Chat), s.Attempts, s.Degraded, datetime(s.At), rawText(s.Raw), failure}, nil
}

// updatePart records a part of a delivery that the transaction has locked.
func updatePart(ctx context.Context, q querier, id string, part int, r ccm.PartResult) error {
	sets, args, err := partSets(r)
	if err != nil {
		return err
	}
	_, err = q.ExecContext(ctx, `UPDATE ccm_parts p SET `+sets+` WHERE p.delivery_id = ? AND p.part = ?`, append(args, id, part)...)
	return err
}
