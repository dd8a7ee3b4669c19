package bench

// Unit is what a figure is counted in.
type Unit string

// The units.
const (
	Times   Unit = "times"
	Bytes   Unit = "bytes"
	Seconds Unit = "seconds"
)

// The names of the figures.
const (
	figureDecode   = "decode"
	figureMemory   = "memory"
	figureDays     = "days"
	figureMessages = "messages"
	figureWorkers  = "workers"
	figureS3       = "s3"
	figureAgain    = "again"
	figureAgainst  = "against"
)

// figure is one figure of the table: what its first side took, or how many
// times as much as the second in the same round.
type figure struct {
	name    string
	what    string
	of      string // sides; the second may be empty
	against string
	ratio   bool
	take    func(Cost) float64
	takes   Unit // of what take gives
	bar     float64
	atLeast bool // the bar is the least that there should be, not the most
}

func wall(c Cost) float64 { return c.Wall.Seconds() }
func cpu(c Cost) float64  { return c.CPU.Seconds() }
func peak(c Cost) float64 { return float64(c.Peak) }

// figures are all figures in the order of the table.
func figures() []figure {
	return []figure{
		{
			name: figureDecode, what: "wall time against a bare decode of the same columns",
			of: sideJob, against: sideDecode, ratio: true, take: wall, takes: Seconds, bar: 3.2,
		},
		{
			name: figureMemory, what: "peak memory",
			of: sideJob, take: peak, takes: Bytes, bar: 512 << 20,
		},
		{
			name: figureDays, what: "peak memory for 10 times the days at the same messages a day",
			of: sideManyDays, against: sideFewDays, ratio: true, take: peak, takes: Bytes, bar: 1.5,
		},
		{
			name: figureMessages, what: "wall time for 10 times the messages",
			of: sideJob, against: sideTenth, ratio: true, take: wall, takes: Seconds, bar: 10.5,
		},
		{
			name: figureWorkers, what: "wall time of one worker on one processor against two on two",
			of: sideSingle, against: sideJob, ratio: true, take: wall, takes: Seconds, bar: 1.6, atLeast: true,
		},
		{
			name: figureS3, what: "the job's own CPU time from and to S3 against a directory",
			of: sideBucket, against: sideJob, ratio: true, take: cpu, takes: Seconds, bar: 1.3,
		},
		{
			name: figureAgain, what: "wall time of a run with nothing to do",
			of: sideAgain, against: sideJob, take: wall, takes: Seconds, bar: 1,
		},
		{
			name: figureAgainst, what: "wall time of another program against the job",
			of: sideAgainst, against: sideJob, ratio: true, take: wall, takes: Seconds, bar: 4, atLeast: true,
		},
	}
}

// Names are the names of all figures in the order of the table.
func Names() []string {
	var names []string
	for _, f := range figures() {
		names = append(names, f.name)
	}
	return names
}

// unit is what the figure itself is counted in.
func (f *figure) unit() Unit {
	if f.ratio {
		return Times
	}
	return f.takes
}

// reached tells whether a measured value keeps to the bar.
func (f *figure) reached(measured float64) bool {
	if f.atLeast {
		return measured >= f.bar
	}
	return measured <= f.bar
}
