package metrics

import (
	"fmt"
	"maps"
	"slices"
	"strings"

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

func (l Labels) names() []string { return slices.Sorted(maps.Keys(l)) }
