package writer

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
)

// Simulation is what makes a run one of what other prices would have charged:
// it lies below simulations/, and no pointer ever names it.
type Simulation struct {
	// Plan is the plan that every account was on; empty: those of the accounts.
	Plan string `json:"plan"`
}

const simulationsPrefix = "simulations/"

// SimulationsPrefix is the key under which the simulations of a period lie; it
// ends in a slash.
func SimulationsPrefix(period string) string { return simulationsPrefix + period + "/" }

// SimulationPrefix is the key under which the files of a simulation lie; it
// ends in a slash.
func SimulationPrefix(period, runID string) string { return SimulationsPrefix(period) + runID + "/" }

// SimulationOf is the simulation whose manifest has a key, if it is that of a
// manifest.
func SimulationOf(key string) (run string, ok bool) {
	run, ok = strings.CutSuffix(key, manifestName)
	return run, ok && isSimulation(run)
}

// isSimulation takes simulations/{period}/{run_id}/.
func isSimulation(run string) bool {
	parts := strings.Split(run, "/")
	return len(parts) == 4 && parts[0]+"/" == simulationsPrefix && parts[3] == "" && fs.ValidPath(strings.TrimSuffix(run, "/"))
}

// publishSimulation ends where the pointer would come: with the manifest the
// simulation is there for those who ask for it by its key. Once it has begun,
// the end of ctx does not hide that it was published.
func publishSimulation(ctx context.Context, t Store, m *Manifest, data []byte) error {
	if ctx.Err() != nil {
		return fmt.Errorf("publish %s: %w", m.RunKey(), context.Cause(ctx))
	}
	err := bounded(ctx, func(ctx context.Context) error {
		if _, err := createManifest(ctx, t, m, data); err != nil {
			return err
		}
		return CheckListed(ctx, t, m)
	})
	if err != nil {
		return fmt.Errorf("publish %s: %w", m.RunKey(), err)
	}
	return nil
}
