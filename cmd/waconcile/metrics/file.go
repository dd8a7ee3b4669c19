package metrics

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// WriteFile puts a report into a file in Prometheus' text form, by a rename,
// so that nobody sees half of it. Of a run that failed the file keeps the
// families that it had besides with the same labels; where it cannot be read, it is replaced all the
// same, and the error says so. What is there and is no regular file is refused.
func WriteFile(path string, r *Report, l Labels) error {
	if err := l.Validate(); err != nil {
		return err
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("write metrics: %s is not a regular file", path)
	}
	fresh, err := r.gather(l)
	if err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	var kept []*dto.MetricFamily
	var keptErr error
	if r.Published == nil {
		kept, keptErr = readKept(path, fresh, l)
	}
	all := prometheus.Gatherers{given(fresh), given(kept)}
	if err := prometheus.WriteToTextfile(path, all); err != nil {
		return errors.Join(fmt.Errorf("write metrics: %w", err), keptErr)
	}
	return keptErr
}

func given(families []*dto.MetricFamily) prometheus.Gatherer {
	return prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return families, nil })
}

// readKept are the families of a file, where there is one, that are not anew,
// with the series that have the labels.
func readKept(path string, fresh []*dto.MetricFamily, l Labels) (kept []*dto.MetricFamily, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(f)
	if err != nil {
		return nil, fmt.Errorf("read metrics %s, of which nothing is kept: %w", path, err)
	}
	for _, family := range fresh {
		delete(families, family.GetName())
	}
	for _, family := range families {
		family.Metric = slices.DeleteFunc(family.Metric, func(m *dto.Metric) bool { return !l.areThoseOf(m) })
		if len(family.Metric) > 0 {
			kept = append(kept, family)
		}
	}
	return kept, nil
}
