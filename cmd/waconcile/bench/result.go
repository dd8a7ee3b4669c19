package bench

import "slices"

// Result is the table.
type Result struct {
	Sets       []MadeSet  `json:"sets"`
	Runs       int        `json:"runs"`
	Processors int        `json:"processors"` // of each measured process, but for the side of one worker
	Figures    []Figure   `json:"figures"`
	LeftOut    []LeftOut  `json:"left_out"`
	Sides      []Measured `json:"sides"`
}

// MadeSet is a set and its name.
type MadeSet struct {
	Name string `json:"set"`
	*Set
}

// Figure is one line of the table: the median over the rounds of what the first
// side took, or of how many times as much as the second.
type Figure struct {
	Name     string   `json:"figure"`
	What     string   `json:"what"`
	Measured float64  `json:"measured"`
	Unit     Unit     `json:"unit"`
	Of       Half     `json:"of"`
	Against  *Half    `json:"against,omitempty"`
	AtMost   *float64 `json:"at_most,omitempty"` // the bar; one of the two is there
	AtLeast  *float64 `json:"at_least,omitempty"`
	Reached  bool     `json:"reached"`
}

// Half is what one side of a figure took.
type Half struct {
	Side   string  `json:"side"`
	What   string  `json:"what"`
	Median float64 `json:"median"`
	Unit   Unit    `json:"unit"`
}

// LeftOut is a figure that could not be had.
type LeftOut struct {
	Figure string `json:"figure"`
	Why    string `json:"why"`
}

// Measured is what a side took in each round.
type Measured struct {
	Side string `json:"side"`
	Wall Values `json:"wall_seconds"`
	CPU  Values `json:"cpu_seconds"`
	Peak Values `json:"peak_bytes"` // 0 where the system does not tell
}

// Values are one value for each round.
type Values []float64

// Median is the middle of the values, or between the two in the middle.
func (v Values) Median() float64 {
	sorted := slices.Sorted(slices.Values(v))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func (r *runner) result() *Result {
	result := &Result{Runs: r.Runs, Processors: processors, Figures: []Figure{}, LeftOut: append([]LeftOut{}, r.leftOut...), Sides: []Measured{}}
	for _, name := range []string{monthSet, tenthSet, longSet} {
		if set := r.sets[name]; set != nil {
			result.Sets = append(result.Sets, MadeSet{name, set})
		}
	}
	for _, f := range r.figures {
		result.Figures = append(result.Figures, r.figure(f))
	}
	for _, s := range r.chosen {
		costs := r.costs[s.name]
		result.Sides = append(result.Sides, Measured{s.name, each(costs, wall), each(costs, cpu), each(costs, peak)})
	}
	return result
}

func (r *runner) figure(f figure) Figure {
	measured := each(r.costs[f.of], f.take)
	line := Figure{Name: f.name, What: f.what, Unit: f.unit(), Of: r.half(f, f.of)}
	if f.against != "" {
		half := r.half(f, f.against)
		line.Against = &half
	}
	if f.ratio {
		for i, against := range each(r.costs[f.against], f.take) {
			measured[i] /= against
		}
	}
	line.Measured = measured.Median()
	line.Reached = f.reached(line.Measured)
	if f.atLeast {
		line.AtLeast = &f.bar
	} else {
		line.AtMost = &f.bar
	}
	return line
}

func (r *runner) half(f figure, name string) Half {
	i := slices.IndexFunc(r.chosen, func(s side) bool { return s.name == name })
	return Half{Side: name, What: r.chosen[i].what, Median: each(r.costs[name], f.take).Median(), Unit: f.takes}
}

func each(costs []Cost, take func(Cost) float64) Values {
	values := make(Values, len(costs))
	for i, c := range costs {
		values[i] = take(c)
	}
	return values
}
