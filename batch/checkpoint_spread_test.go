package batch

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"waconcile/reader/readertest"
	"waconcile/reconcile"
)

// spread is random messages of few pairs, the rows of which lie in partitions
// before and after the days they were sent on, as far as its late days let
// them.
type spread struct {
	rng      *rand.Rand
	first    reconcile.Date
	lateDays int
	early    bool // rows may lie up to two days before they were sent
	shifted  bool // rows of a message may claim other days
	updates  bool // rows may come with the delivery, however late that is
	rows     map[reconcile.Date][]readertest.ExportRow
	count    int
}

const spreadDays = 20

func newSpread(rng *rand.Rand) *spread {
	first, _ := reconcile.ParseDate("2024-06-25")
	p := &spread{
		rng: rng, first: first, lateDays: rng.IntN(4), early: rng.IntN(2) == 0, shifted: rng.IntN(2) == 0, updates: rng.IntN(3) == 0,
		rows: make(map[reconcile.Date][]readertest.ExportRow),
	}
	for range 30 + rng.IntN(250) {
		p.send(p.message())
	}
	return p
}

func (p *spread) String() string {
	return fmt.Sprintf("late days %d, early %t, shifted %t, updates %t", p.lateDays, p.early, p.shifted, p.updates)
}

func (p *spread) message() readertest.ExportRow {
	p.count++
	account := []string{"rome", "auckland", "angeles", "nobody"}[p.rng.IntN(4)]
	at := p.first.Start() + int64(p.rng.IntN(spreadDays*24))*3_600_000 + int64(p.rng.IntN(3)-1)
	r := readertest.ExportRow{
		MessageID: fmt.Sprint("m", p.count), Account: account, Business: "39 02 " + account[:1],
		Contact:   []string{"393331234567", "393331234568", "user.one"}[p.rng.IntN(3)],
		Direction: "outbound", Type: "text", Status: p.status(), SentAt: max(at, p.first.Start()),
	}
	switch p.rng.IntN(6) {
	case 0:
		r.Direction, r.Status = "inbound", ""
	case 1, 2, 3:
		r.Type = "template"
		r.Category = []string{"marketing", "utility", "authentication", "authentication_international"}[p.rng.IntN(4)]
	}
	if r.Direction == "outbound" {
		switch p.rng.IntN(6) {
		case 0, 1:
			r.DeliveredAt = p.arrival(r.SentAt)
		case 2, 3:
			r.ReadAt = p.arrival(r.SentAt)
		}
	}
	return r
}

func (p *spread) status() string {
	return []string{"sent", "delivered", "read", "failed", "delivered"}[p.rng.IntN(5)]
}

// arrival is when something sent arrives: before it was sent, at once, or up
// to five days later.
func (p *spread) arrival(sent int64) int64 {
	const hour, day = 3_600_000, reconcile.DayMillis
	return sent + []int64{-1, 0, 1, hour, day, 2 * day, 3 * day, 4*day + 7*hour, 5 * day}[p.rng.IntN(9)]
}

// send puts the rows of a message into partitions. The first decides on which
// day it was sent: no row comes later than the late days after it, but for
// updates, which are late only for accounts on basis sent.
func (p *spread) send(r readertest.ExportRow) {
	sent := reconcile.DateOf(r.SentAt)
	if p.updates && r.Direction == "outbound" && r.Account == "angeles" && p.rng.IntN(3) == 0 {
		update := r
		r.Status, r.DeliveredAt, r.ReadAt = "sent", 0, 0
		update.Status, update.ReadAt = "delivered", 0
		update.DeliveredAt = r.SentAt + int64(p.rng.IntN(5*24))*3_600_000
		p.put(sent, r)
		p.put(reconcile.DateOf(update.DeliveredAt)+p.behind(), update)
		return
	}
	p.put(p.lies(sent, sent), r)
	for p.rng.IntN(3) == 0 {
		again := r
		if again.Direction == "outbound" {
			again.Status = p.status()
			if p.rng.IntN(2) == 0 {
				again.DeliveredAt = p.arrival(r.SentAt)
			}
		}
		claimed := sent
		if p.shifted && p.rng.IntN(3) == 0 {
			claimed += reconcile.Date(p.rng.IntN(min(p.lateDays, 2) + 1))
			again.SentAt += (claimed - sent).Start()
		}
		if p.shifted && again.Type == "template" && p.rng.IntN(6) == 0 {
			again.Category = "marketing"
		}
		p.put(p.lies(sent, claimed), again)
	}
}

// lies is a partition for a row that claims to have been sent on a day, of a
// message that was sent on another.
func (p *spread) lies(sent, claimed reconcile.Date) reconcile.Date {
	if late := sent + p.behind(); late >= claimed && p.rng.IntN(2) == 0 {
		return late
	}
	if p.early {
		return claimed - reconcile.Date(p.rng.IntN(3))
	}
	return claimed
}

func (p *spread) behind() reconcile.Date { return reconcile.Date(p.rng.IntN(p.lateDays + 1)) }

func (p *spread) put(d reconcile.Date, r readertest.ExportRow) {
	if d >= p.first && d < p.first+spreadDays {
		p.rows[d] = append(p.rows[d], r)
	}
}

// exports lays the rows out, each day as two files; no day is empty.
func (p *spread) exports(t *testing.T) *readertest.Mem {
	t.Helper()
	m := &readertest.Mem{}
	for d := p.first; d < p.first+spreadDays; d++ {
		rows := p.rows[d]
		if len(rows) == 0 {
			addPlain(t, m, d)
			continue
		}
		p.rng.Shuffle(len(rows), func(i, k int) { rows[i], rows[k] = rows[k], rows[i] })
		half := (len(rows) + 1) / 2
		addRows(t, m, partition(d)+"part-0.parquet", rows[:half]...)
		if half < len(rows) {
			addRows(t, m, partition(d)+"part-1.parquet", rows[half:]...)
		}
	}
	return m
}
