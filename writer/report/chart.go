package report

import (
	"strconv"

	"github.com/shopspring/decimal"
)

// The drawing of a chart, in its own units.
const (
	chartWidth   = 1000
	chartHeight  = 250
	plotLeft     = 76
	plotRight    = 992
	plotTop      = 34
	plotBottom   = 222
	legendStep   = 150
	labelsMax    = 31
	ticksMax     = 4
	barPercent   = 76
	labelDrop    = 18
	labelSideGap = 8
)

// chart is bars by date, each stacked by category.
type chart struct {
	ID, Title, Desc string
	Width, Height   int64
	Left, Right     int64
	TickX           int64
	LabelY          int64
	Legend          []mark
	Ticks           []mark
	Labels          []mark
	Bars            []bar
}

// mark is a text or a line at a place.
type mark struct {
	X, Y  int64
	Text  string
	Class string
}

// bar is one category's part of a date's bar.
type bar struct {
	X, Y, Width, Height int64
	Class               string
	Tip                 string
}

// charts are those that have something to show.
func (v *days) charts() []chart {
	var list []chart
	if c, ok := v.chart(&v.counts, "conversations", "Conversations by day"); ok {
		list = append(list, c)
	}
	for i := range v.costs {
		s := &v.costs[i]
		if c, ok := v.chart(s, "cost-"+s.currency, "Cost by day, "+s.currency+" net"); ok {
			list = append(list, c)
		}
	}
	return list
}

func (v *days) chart(s *stack, id, title string) (chart, bool) {
	var most, sum decimal.Decimal
	mostAt := 0
	for i := range v.dates {
		of := s.of(i)
		sum = sum.Add(of)
		if of.GreaterThan(most) {
			most, mostAt = of, i
		}
	}
	if !most.IsPositive() {
		return chart{}, false
	}
	c := chart{
		ID: id, Title: title, Width: chartWidth, Height: chartHeight, Left: plotLeft, Right: plotRight,
		TickX: plotLeft - labelSideGap, LabelY: plotBottom + labelDrop,
		Desc: "Bars stacked by category from " + v.dates[0] + " to " + v.dates[len(v.dates)-1] + ". In all " + s.text(sum) +
			"; the most on " + v.dates[mostAt] + ": " + s.text(most) + ". The figures stand in the table below.",
	}
	top := c.scale(s, most)
	v.bars(&c, s, top)
	for i, category := range s.categories {
		c.Legend = append(c.Legend, mark{X: plotLeft + int64(i)*legendStep, Text: category, Class: colour(category)})
	}
	return c, true
}

// scale draws the ticks and returns the value at the top of the plot.
func (c *chart) scale(s *stack, most decimal.Decimal) decimal.Decimal {
	step := niceStep(most)
	if s.currency == "" {
		step = decimal.Max(step, decimal.NewFromInt(1))
	}
	n := most.Div(step).Ceil()
	top := n.Mul(step)
	for i := range n.IntPart() + 1 {
		value := step.Mul(decimal.NewFromInt(i))
		text := group(value.String())
		if s.currency != "" {
			text = exact(value, s.currency)
		}
		c.Ticks = append(c.Ticks, mark{Y: plotBottom - height(value, top), Text: text})
	}
	return top
}

// niceStep is the least of 1, 2, 5, 10, 20 … (and their tenths) that reaches
// most in ticksMax steps.
func niceStep(most decimal.Decimal) decimal.Decimal {
	const finest = -6
	for exponent := int32(finest); ; exponent++ {
		for _, m := range []int64{1, 2, 5} {
			step := decimal.New(m, exponent)
			if step.Mul(decimal.NewFromInt(ticksMax)).GreaterThanOrEqual(most) {
				return step
			}
		}
	}
}

// height is how high a value stands above the foot of the plot.
func height(v, top decimal.Decimal) int64 {
	return v.Mul(decimal.NewFromInt(plotBottom-plotTop)).DivRound(top, 0).IntPart()
}

// bars draws the stacks. Heights are taken from the running sum, so that a
// stack is as high as its sum, whatever its parts round to.
func (v *days) bars(c *chart, s *stack, top decimal.Decimal) {
	n := int64(len(v.dates))
	every := (n + labelsMax - 1) / labelsMax
	for i := range n {
		left := plotLeft + (plotRight-plotLeft)*i/n
		slot := plotLeft + (plotRight-plotLeft)*(i+1)/n - left
		width := max(1, slot*barPercent/100)
		x := left + (slot-width)/2
		if i%every == 0 {
			c.Labels = append(c.Labels, mark{X: x + width/2, Text: dayOfMonth(v.dates[i])})
		}
		var sum decimal.Decimal
		below := int64(0)
		for _, category := range s.categories {
			value := s.values[i][category]
			sum = sum.Add(value)
			upTo := height(sum, top)
			if upTo > below {
				c.Bars = append(c.Bars, bar{
					X: x, Y: plotBottom - upTo, Width: width, Height: upTo - below, Class: colour(category),
					Tip: v.dates[i] + " " + category + " " + s.text(value),
				})
				below = upTo
			}
		}
	}
}

// dayOfMonth shortens YYYY-MM-DD.
func dayOfMonth(date string) string {
	if n, err := strconv.Atoi(date[max(0, len(date)-2):]); err == nil {
		return strconv.Itoa(n)
	}
	return date
}

// colour is the class of a category in the style sheet.
func colour(category string) string {
	switch category {
	case "marketing", "utility", "authentication", "service":
		return category
	}
	return "other"
}
