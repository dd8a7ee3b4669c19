package batch

import (
	"context"
	"fmt"

	"waconcile/batch/checkpoint"
	"waconcile/reader"
	"waconcile/reconcile"
)

// What a pass holds follows the rows of the days that are in memory at once,
// which the footers tell. The bytes are measured, on months of 20 million rows
// with two conversations in seven rows, where passes have 260 B for each row of
// a day, and rounded up by a quarter. Data that has more is what guard is for.
const (
	// A row that waits for its day to be folded, with its id and its place in
	// the order of the fold.
	rowBytes = 110
	// A row of the last days folded: its part of the pairs and conversations
	// that are open.
	pairBytes, pairDays = 50, 2
	// A row of the days whose charges are not final.
	chargeBytes, chargeDays = 30, 2 + finalAfterDays
	// A row of a day whose charges are being laid out, where they are not
	// spilled.
	writtenBytes = 24
	// The same row, where its charge draws on a recharge.
	drawnBytes = 12
	// A row of the day before a state that is taken: its part of that.
	stateBytes = 100
	// A row, of any day, of which a state may have to keep that it was not
	// delivered, where an account is on basis delivered.
	undeliveredBytes = 24
	// A row of the state that the run starts from, while it is held and as the
	// engines keep it.
	heldBytes, restoredBytes = 250, 250
)

// What every pass holds, however few contacts it takes: measured 40 MB on two
// workers.
const (
	programBytes = 20 << 20 // tables, names, sums, buffers of the stores
	workerBytes  = 10 << 20 // message hashes before they go to a file; blocks that wait
	decoderBytes = 14 << 20 // pages being decoded
	writerBytes  = 24 << 20 // a row group being written, where charges are not spilled
)

// workersIn is how many of the workers a run has: each takes memory however few
// contacts a pass takes, so that together with the program they get no more
// than half of it. The results never depend on their number.
func workersIn(memory int64, workers int) int {
	for memory > 0 && workers > 1 && fixedBytes(workers, decoders(workers)) > memory/2 {
		workers--
	}
	return workers
}

func fixedBytes(workers, decoding int) int64 {
	return programBytes + int64(workers)*workerBytes + int64(decoding)*decoderBytes
}

// What every pass holds beside the program is not filled by few rows: a whole
// run takes no more than this for each of its rows.
const smallBytes = 1 << 10

// need is what passes hold.
type need struct {
	small  int64 // a whole run, by its rows alone
	fixed  int64 // each of them
	writes int64 // one that writes its tables at once, beside that
	shared int64 // all together
}

// The heap may take usedNumerator/usedDenominator of the memory: the garbage
// collector works the harder the less it leaves, and gets slow where it is
// nothing. The program itself takes part of the rest.
const (
	usedNumerator   = 3
	usedDenominator = 5
)

func usedOf(memory int64) int64 { return memory / usedDenominator * usedNumerator }

// passesMax bounds the passes, each of which reads everything.
const passesMax = 256

// passes is how many there have to be for each to fit the memory. Where that
// is less than what every pass takes, they get a quarter of it to share: then
// more is taken than is given, and more passes would not change that.
func (n need) passes(memory int64) int {
	if memory == 0 || min(n.small, n.fixed+n.writes+n.shared) <= usedOf(memory) {
		return 1
	}
	room := max(usedOf(memory)-n.fixed, memory/4, 1)
	return int(max(2, min((n.shared+room-1)/room, passesMax)))
}

// passesFor is how many passes a run takes. infos are those of the plan's
// files.
func (p *Plan) passesFor(job *Job, infos []reader.FileInfo) int {
	if job.passes > 0 {
		return job.passes
	}
	return p.need(job, infos, decoders(job.Workers)).passes(job.Memory)
}

// Passes is how many passes over the exports a run of the plan takes, by the
// footers of its files: 1, where what they hold at once fits job.Memory. A run
// may take more, where it turns out that it did not.
func (p *Plan) Passes(ctx context.Context, job Job) (int, error) {
	if p.Already {
		return 0, nil
	}
	job.Workers = workersIn(job.Memory, job.Workers)
	exports, err := p.newExports(&job, p.names)
	if err != nil {
		return 0, err
	}
	infos, err := p.footers(ctx, exports)
	if err != nil {
		return 0, err
	}
	return p.passesFor(&job, infos), nil
}

// need estimates what the passes of the plan hold where so many files are
// decoded at once.
func (p *Plan) need(job *Job, infos []reader.FileInfo, decoding int) need {
	byDay, largest := p.rowsByDay(infos)
	all := mostRows(byDay, len(byDay))
	if p.start != nil {
		all += rowsOfState(p.start.header)
	}
	// Files of the next days are decoded while one of a day is not done.
	waiting := mostWaiting(p.days, byDay, p.foldable(job.LateDays, infos)) + int64(decoding-1)*largest
	states := int64(len(p.states(p.in.accounts.Zones())))
	n := need{
		small:  programBytes + all*smallBytes,
		fixed:  fixedBytes(job.Workers, decoding),
		writes: tablesInFlight*writerBytes + mostRows(byDay, tablesInFlight)*writtenBytes,
		shared: waiting*rowBytes + mostRows(byDay, pairDays)*pairBytes + mostRows(byDay, chargeDays)*chargeBytes +
			states*mostRows(byDay, 1)*stateBytes,
	}
	if p.purchase.made {
		n.writes += mostRows(byDay, tablesInFlight) * drawnBytes
	}
	if states > 0 && p.in.accounts.AnyDelivered() {
		n.shared += mostRows(byDay, job.DeliveryDays) * undeliveredBytes
	}
	if p.start != nil {
		n.shared += rowsOfState(p.start.header) * restoredBytes
		if p.start.state != nil {
			n.fixed += rowsOfState(p.start.header) * heldBytes
		}
	}
	return n
}

// rowsByDay is the rows of each day, and those of the largest file.
func (p *Plan) rowsByDay(infos []reader.FileInfo) (byDay []int64, largest int64) {
	byDay = make([]int64, len(p.days))
	next := 0
	for i, d := range p.days {
		for range d.files {
			byDay[i] += infos[next].Rows
			largest = max(largest, infos[next].Rows)
			next++
		}
	}
	return byDay, largest
}

// mostWaiting is the most rows that wait to be folded, as each day is read.
func mostWaiting(days []day, byDay []int64, foldable []reconcile.Date) int64 {
	most := int64(0)
	for i := range days {
		sum := byDay[i]
		for k := i - 1; k >= 0 && days[k].date > foldable[i-1]; k-- {
			sum += byDay[k]
		}
		most = max(most, sum)
	}
	return most
}

// mostRows is the most rows that so many days in a row have.
func mostRows(byDay []int64, days int) int64 {
	most, sum := int64(0), int64(0)
	for i, rows := range byDay {
		sum += rows
		if i >= days {
			sum -= byDay[i-days]
		}
		most = max(most, sum)
	}
	return most
}

// holds tells whether a state is small beside the memory.
func (c *Config) holds(h *checkpoint.Header) bool {
	return c.Memory == 0 || rowsOfState(h)*heldBytes <= c.Memory/16
}

func rowsOfState(h *checkpoint.Header) int64 {
	return h.RowsOf(checkpoint.Pairs) + h.RowsOf(checkpoint.Conversations) + h.RowsOf(checkpoint.Messages)
}

// A charge takes fileChargeBytes while its file is read back and laid out.
const fileChargeBytes = 200

// tablesAtOnce is how many dates are written at once after all passes.
func tablesAtOnce(memory int64, s *spilledCharges) int {
	largest := 0
	for _, d := range s.dates {
		largest = max(largest, d.charges/filesFor(d.charges))
	}
	if twoWriters(memory, int64(largest)*fileChargeBytes) {
		return tablesInFlight
	}
	return 1
}

// twoWriters tells whether two tables may be written at once of which each takes
// so much beside its writer.
func twoWriters(memory, each int64) bool {
	return memory == 0 || programBytes+tablesInFlight*(each+writerBytes) <= usedOf(memory)
}

// SizeText writes a size as a person would.
func SizeText(bytes int64) string {
	for _, unit := range []struct {
		suffix string
		shift  uint
	}{{"GiB", 30}, {"MiB", 20}, {"KiB", 10}} {
		if n := bytes >> unit.shift; n > 0 && n<<unit.shift == bytes {
			return fmt.Sprintf("%d%s", n, unit.suffix)
		}
	}
	return fmt.Sprintf("%d bytes", bytes)
}
