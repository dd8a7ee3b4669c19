package metrics

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
)

// Labels are put on all series of a run, or name its group on a Pushgateway.
type Labels map[string]string

// job names the group on a Pushgateway.
const job = namespace

// taken are the labels that series have for themselves, or get where they are
// scraped.
func taken() []string {
	return []string{"job", "instance", "stage", "reason", "kind", "category", "status", "class", "currency"}
}

// Validate tells what cannot be a label here.
func (l Labels) Validate() error {
	for _, name := range l.names() {
		switch {
		case !model.LegacyValidation.IsValidLabelName(name) || strings.HasPrefix(name, model.ReservedLabelPrefix):
			return fmt.Errorf("label %q: not a name of letters, digits and _", name)
		case slices.Contains(taken(), name):
			return fmt.Errorf("label %q: series have one of that name", name)
		case l[name] == "":
			return fmt.Errorf("label %q: it has no value", name)
		case !model.LabelValue(l[name]).IsValid():
			return fmt.Errorf("label %q: its value is not UTF-8", name)
		}
	}
	return nil
}

// areThoseOf tells whether a series has the labels, and beside them only some of
// its own.
func (l Labels) areThoseOf(m *dto.Metric) bool {
	found := Labels{}
	for _, pair := range m.Label {
		if !slices.Contains(taken(), pair.GetName()) {
			found[pair.GetName()] = pair.GetValue()
		}
	}
	return maps.Equal(l, found)
}

func (l Labels) names() []string { return slices.Sorted(maps.Keys(l)) }
