package batch

import (
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"runtime"
	"slices"
	"sync"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/sync/errgroup"
)

// diffExports looks in the exports for the messages that made a difference:
// first those of affected pairs and accounts in what only one run read, then the
// same messages in what both read, on the days around their sending.
type diffExports struct {
	why      *diffReasons
	affected *affected
	names    *reader.Names
	of       [2]*reader.Exports // as each run read them

	listed map[reconcile.Date]map[string]reader.Object
	gone   [2]map[reconcile.Date]bool // days with objects of the run that are not there any more

	mu       sync.Mutex // guards messages while files are read
	messages map[uint64]*diffMessage
}

// diffMessage is a message of an affected pair or account, as each run saw it.
type diffMessage struct {
	pair    uint64
	account string
	sent    bool // its account is on basis sent
	view    [2]messageView
	days    []reconcile.Date // of what only one run read, in which it lies
}

// messageView is what the rows of a message come to, as far as runs can tell
// them apart.
type messageView struct {
	seen            bool
	sent            int64
	rank            uint8
	category        reconcile.Category
	country         string // of a contact that is no phone number
	status          reconcile.Status
	delivered, read int64
}

func newDiffExports(why *diffReasons, of *affected) (*diffExports, error) {
	e := &diffExports{
		why: why, affected: of, names: reader.NewNames(), listed: make(map[reconcile.Date]map[string]reader.Object),
		gone:     [2]map[reconcile.Date]bool{{}, {}},
		messages: make(map[uint64]*diffMessage),
	}
	for i, m := range []*writer.Manifest{why.job.A, why.job.B} {
		var err error
		e.of[i], err = reader.NewExports(why.job.Exports, e.names, reader.ExportOptions{
			Columns: m.Settings.Columns, IgnoreTypes: m.Settings.IgnoreTypes,
		})
		if err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (e *diffExports) read(ctx context.Context) error {
	alone := func(o exportObject) bool { return o.in != bothSides }
	if err := e.scanAll(ctx, alone); err != nil {
		return err
	}
	around := e.daysAround()
	shared := func(o exportObject) bool { return o.in == bothSides && around[o.day] }
	if err := e.scanAll(ctx, shared); err != nil {
		return err
	}
	e.why.unknown = len(e.gone[0])+len(e.gone[1]) > 0
	return e.judge(ctx)
}

// lateDays is how far from its day of sending a row is looked for.
func (e *diffExports) lateDays() reconcile.Date {
	return reconcile.Date(max(e.why.job.A.Settings.LateDays, e.why.job.B.Settings.LateDays))
}

// daysAround are the days in which other rows of the messages can lie.
func (e *diffExports) daysAround() map[reconcile.Date]bool {
	days, late := make(map[reconcile.Date]bool), e.lateDays()
	for _, m := range e.messages {
		for _, v := range m.view {
			if !v.seen {
				continue
			}
			for d := reconcile.DateOf(v.sent) - late; d <= reconcile.DateOf(v.sent)+late; d++ {
				days[d] = true
			}
		}
	}
	return days
}

// scanAll reads the objects that are wanted and still what the runs read,
// several at once.
func (e *diffExports) scanAll(ctx context.Context, wanted func(exportObject) bool) error {
	objects := slices.Clone(e.why.exports.objects)
	objects = slices.DeleteFunc(objects, func(o exportObject) bool { return !wanted(o) })
	if err := e.list(ctx, objects); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, o := range objects {
		g.Go(func() error {
			there, err := e.find(ctx, o)
			if err != nil || there == nil {
				return err
			}
			if o.in == bothSides && e.alike() {
				return e.scan(ctx, e.of[0], *there, o, bothSides)
			}
			for i, side := range []sides{sideA, sideB} {
				if o.in&side == 0 {
					continue
				}
				if err := e.scan(ctx, e.of[i], *there, o, side); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// alike says that both runs read an object in the same way.
func (e *diffExports) alike() bool {
	a, b := e.why.job.A.Settings, e.why.job.B.Settings
	return maps.Equal(a.Columns, b.Columns) && slices.Equal(a.IgnoreTypes, b.IgnoreTypes)
}

// list learns what lies in the days of objects now.
func (e *diffExports) list(ctx context.Context, objects []exportObject) error {
	for _, o := range objects {
		if e.listed[o.day] != nil {
			continue
		}
		there, err := e.why.job.Exports.List(ctx, partition(o.day))
		if err != nil {
			return err
		}
		byKey := make(map[string]reader.Object, len(there))
		for _, found := range there {
			byKey[found.Key] = found
		}
		e.listed[o.day] = byKey
	}
	return nil
}

// find is the object as it lies there, or nil where it is not what the runs
// read; that is noted.
func (e *diffExports) find(ctx context.Context, o exportObject) (*reader.Object, error) {
	there, ok := e.listed[o.day][o.key]
	if ok {
		identity, err := e.why.job.Exports.Identify(ctx, there)
		if err != nil && !errors.Is(err, reader.ErrChanged) {
			return nil, err
		}
		ok = err == nil && identity == o.identity
	}
	if ok {
		return &there, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, side := range []sides{sideA, sideB} {
		if o.in&side != 0 {
			e.gone[i][o.day] = true
		}
	}
	return nil, nil
}

// scan takes the rows of affected pairs and accounts as the runs of views saw
// them. In what both runs read only messages count that are known already.
func (e *diffExports) scan(ctx context.Context, exports *reader.Exports, there reader.Object, o exportObject, views sides) error {
	var contact []byte
	return exports.Scan(ctx, there, o.day, reconcile.NoTime, func(b *reader.Block) error {
		e.mu.Lock()
		defer e.mu.Unlock()
		rows := &b.Rows
		for n := range rows.SentAt {
			if rows.Kind[n] == reconcile.Ignored {
				continue
			}
			contact = e.names.AppendContact(contact[:0], rows.Contact[n])
			account := e.names.Text(rows.Account[n])
			pair := pairHash(account, e.names.Text(rows.Business[n]), contact)
			if !e.affected.pairs[pair] && !e.affected.drawing[account] {
				continue
			}
			m := e.message(pair, account, rows.ID.At(n), o)
			if a := e.why.job.Accounts; m != nil && a != nil {
				m.sent = a.Of(account).Basis == reconcile.BasisSent
			}
			for i, side := range []sides{sideA, sideB} {
				if m != nil && views&side != 0 {
					m.view[i].take(rows, n, e.countryOf(rows, n))
				}
			}
		}
		return nil
	})
}

// countryOf is that of a row whose contact has no other place.
func (e *diffExports) countryOf(rows *reconcile.Rows, n int) string {
	if _, opaque := rows.Contact[n].Opaque(); !opaque {
		return ""
	}
	return e.names.Text(rows.Country[n])
}

// message is nil for one that is not wanted.
func (e *diffExports) message(pair uint64, account string, id []byte, o exportObject) *diffMessage {
	hash := messageHash(pair, id)
	m := e.messages[hash]
	if o.in == bothSides {
		return m
	}
	if m == nil {
		m = &diffMessage{pair: pair, account: account}
		e.messages[hash] = m
	}
	if !slices.Contains(m.days, o.day) {
		m.days = append(m.days, o.day)
	}
	return m
}

// messageHash is the same for a row and for the charge that it opened.
func messageHash[T string | []byte](pair uint64, id T) uint64 {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 96), pair)
	return xxhash.Sum64(append(b, id...))
}

// take merges a row into what is known of its message.
func (v *messageView) take(rows *reconcile.Rows, n int, country string) {
	sent, rank := rows.SentAt[n], reconcile.Rank(rows.Kind[n], rows.Category[n])
	switch {
	case !v.seen:
		*v = messageView{seen: true, sent: sent, rank: rank, category: rows.Category[n], country: country, delivered: reconcile.NoTime, read: reconcile.NoTime}
	case sent < v.sent || sent == v.sent && rank < v.rank:
		v.sent, v.rank, v.category, v.country = sent, rank, rows.Category[n], country
	case sent == v.sent && rank == v.rank && (v.country == "" || country != "" && country < v.country):
		v.country = country
	}
	v.status = max(v.status, rows.Status[n])
	v.delivered = earliest(v.delivered, rows.DeliveredAt[n])
	v.read = earliest(v.read, rows.ReadAt[n])
}

func earliest(a, b int64) int64 {
	if a == reconcile.NoTime || b != reconcile.NoTime && b < a {
		return b
	}
	return a
}

// changed says whether the runs can have treated a message that both read in
// different ways.
func (m *diffMessage) changed() bool {
	a, b := m.view[0], m.view[1]
	if a.status == reconcile.Failed && b.status == reconcile.Failed {
		return false // it never counted
	}
	if m.sent && (a.status == reconcile.Failed) == (b.status == reconcile.Failed) {
		b.status, b.delivered, b.read = a.status, a.delivered, a.read
	}
	return a != b
}

// judge tells of every message whether it is a reason, and which.
func (e *diffExports) judge(ctx context.Context) error {
	var open [2][]uint64 // messages of which it is not known whether the run read them
	for hash, m := range e.messages {
		a, b := &m.view[0], &m.view[1]
		switch {
		case a.seen && b.seen:
			if m.changed() {
				e.why.found(m, StatusChanged, min(a.sent, b.sent))
			}
		case a.seen:
			if e.judgeAlone(m, a, 1) {
				open[1] = append(open[1], hash)
			}
		default:
			if e.judgeAlone(m, b, 0) {
				open[0] = append(open[0], hash)
			}
		}
	}
	for i, m := range []*writer.Manifest{e.why.job.A, e.why.job.B} {
		if err := e.judgeByCharges(ctx, m, open[i], 1-i); err != nil {
			return err
		}
	}
	return nil
}

// judgeAlone is about a message that only one run is known to have read. open
// says that it cannot be told whether the other, which is missing, did.
func (e *diffExports) judgeAlone(m *diffMessage, v *messageView, missing int) (open bool) {
	known, gone := e.why.exports.known[missing], false
	lookedAt := slices.ContainsFunc(m.days, func(d reconcile.Date) bool { return known[d] })
	for d := reconcile.DateOf(v.sent) - e.lateDays(); d <= reconcile.DateOf(v.sent)+e.lateDays(); d++ {
		gone = gone || e.gone[missing][d]
	}
	for _, d := range m.days {
		gone = gone || e.gone[missing][d]
	}
	switch {
	case gone:
		return true
	case v.status == reconcile.Failed: // a message that never counted
	case !lookedAt:
		e.why.found(m, History, v.sent)
	default:
		e.why.found(m, LateMessage, v.sent)
	}
	return false
}

// judgeByCharges decides by the charges of the run of m what they tell: a
// message that opened one of them was there and counted.
func (e *diffExports) judgeByCharges(ctx context.Context, m *writer.Manifest, open []uint64, seen int) error {
	if len(open) == 0 {
		return nil
	}
	opened := make(map[uint64]bool, len(open))
	for _, hash := range open {
		opened[hash] = false
	}
	files := chargeFiles(m)
	for _, date := range slices.Sorted(maps.Keys(files)) {
		for _, f := range files[date] {
			frames := writer.ReadTable(ctx, e.why.job.Out, m.RunKey()+f.Name, m.ChargesSchema(),
				"account_id", "business_number", "contact", "opened_by")
			for frame, err := range frames {
				if err != nil {
					return err
				}
				c := frame.Columns
				for n := range frame.Rows {
					hash := messageHash(pairHash(c[0].Text[n], c[1].Text[n], c[2].Text[n]), c[3].Text[n])
					if _, wanted := opened[hash]; wanted {
						opened[hash] = true
					}
				}
			}
		}
	}
	for hash, counted := range opened {
		m := e.messages[hash]
		v := &m.view[seen]
		switch failed := v.status == reconcile.Failed; {
		case counted && failed:
			e.why.found(m, StatusChanged, v.sent)
		case !counted && !failed:
			e.why.found(m, FileReplaced, v.sent)
		}
	}
	return nil
}
