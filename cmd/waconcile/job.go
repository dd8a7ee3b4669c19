package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"waconcile/batch"
	"waconcile/reconcile"
	"waconcile/writer"
)

// job turns the settings into what batch runs. done gives back what the job
// holds open.
func (s *settings) job(ctx context.Context) (job batch.Job, done func(), err error) {
	if err := s.check(); err != nil {
		return job, nil, err
	}
	if job.Config, err = s.batchConfig(); err != nil {
		return job, nil, err
	}
	limitHeap(job.Memory)
	stopPacing := paceCollector(os.Getenv, job.Memory)
	job.Program = writer.Program{Name: programName, Version: programVersion()}
	st := s.stores()
	err = errors.Join(
		st.source(ctx, "exports", s.exports, &job.Exports),
		st.source(ctx, "rates", s.rates, &job.Rates),
		st.source(ctx, "accounts", s.accounts, &job.Accounts),
		st.source(ctx, "markets", s.markets, &job.Markets),
		st.source(ctx, "recharges", s.recharges, &job.Recharges),
		st.source(ctx, "invoices", s.invoices, &job.Invoices),
		st.source(ctx, "cost-rates", s.costRates, &job.CostRates),
		st.source(ctx, "cost-accounts", s.costAccounts, &job.CostAccounts),
		st.source(ctx, "cost-markets", s.costMarkets, &job.CostMarkets),
		st.source(ctx, "fx", s.fx, &job.Fx),
		st.target(ctx, s.out, &job.Out),
	)
	done = func() {
		st.close()
		stopPacing()
	}
	if err != nil {
		done()
		return job, nil, err
	}
	return job, done, nil
}

// check refuses settings that are missing or cannot be followed.
func (s *settings) check() error {
	required := []struct{ flag, value string }{
		{"period", s.period}, {"exports", s.exports}, {"rates", s.rates},
		{"accounts", s.accounts}, {"out", s.out},
	}
	var missing []string
	for _, r := range required {
		if r.value == "" {
			missing = append(missing, "--"+r.flag)
		}
	}
	switch {
	case len(missing) > 0:
		return fmt.Errorf("%w: required settings are missing: %s", errUsage, strings.Join(missing, ", "))
	case s.failOn != failOnNone && s.failOn != failOnDifferences && s.failOn != failOnFindings:
		return fmt.Errorf("%w: --fail-on %q is none of none, differences, findings", errUsage, s.failOn)
	}
	if err := s.checkSimulation(); err != nil {
		return err
	}
	return s.checkPlaces()
}

// checkPlaces refuses what is no place at all before any place is opened.
func (s *settings) checkPlaces() error {
	places := []struct{ flag, value string }{
		{"exports", s.exports}, {"rates", s.rates}, {"accounts", s.accounts}, {"markets", s.markets},
		{"recharges", s.recharges}, {"invoices", s.invoices}, {"out", s.out},
		{"cost-rates", s.costRates}, {"cost-accounts", s.costAccounts}, {"cost-markets", s.costMarkets}, {"fx", s.fx},
	}
	for _, p := range places {
		if _, _, _, err := splitPlace(p.value); err != nil {
			return fmt.Errorf("%w: --%s: %w", errUsage, p.flag, err)
		}
	}
	return nil
}

func (s *settings) batchConfig() (batch.Config, error) {
	period, err := s.resolvePeriod()
	if err != nil {
		return batch.Config{}, err
	}
	ratio, err := reconcile.ParseDecimal(s.maxRejectRatio)
	if err != nil {
		return batch.Config{}, fmt.Errorf("%w: --max-reject-ratio: %w", errUsage, err)
	}
	vatAt, known := reconcile.ParseVATAt(s.vatAt)
	if !known {
		return batch.Config{}, fmt.Errorf("%w: --vat-at %q is none of recharge, usage", errUsage, s.vatAt)
	}
	memory, err := s.memoryBytes()
	if err != nil {
		return batch.Config{}, err
	}
	config := batch.Config{
		Period: period, Workers: s.workers, Memory: memory, AllowMissing: s.allowMissing,
		LookbackDays: s.lookback, LateDays: s.lateDays, DeliveryDays: s.deliveryDays,
		MaxRejectRatio: ratio, IgnoreTypes: s.ignoreTypes, Columns: s.columns,
		CompleteMarker: s.completeMarker, ExpiryDays: s.expiryDays, VATAt: vatAt, UnsafeStore: s.unsafeStore,
		InvoiceBook: s.invoiceBook, Simulation: s.simulation(),
	}
	return config, config.Validate()
}

// resolvePeriod is the period that --period names at --now in --time-zone.
func (s *settings) resolvePeriod() (batch.Period, error) {
	now, err := s.instant()
	if err != nil {
		return batch.Period{}, err
	}
	zone, err := s.zone()
	if err != nil {
		return batch.Period{}, err
	}
	period, err := batch.ParsePeriod(s.period, now, zone)
	if err != nil {
		return batch.Period{}, fmt.Errorf("%w: %w", errUsage, err)
	}
	return period, nil
}

// zone is --time-zone.
func (s *settings) zone() (*time.Location, error) {
	zone, err := time.LoadLocation(s.timeZone)
	if err != nil || s.timeZone == "Local" {
		return nil, fmt.Errorf("%w: --time-zone %q is no IANA time zone", errUsage, s.timeZone)
	}
	return zone, nil
}

// instant is --now, or else the clock's.
func (s *settings) instant() (time.Time, error) {
	if s.now == "" {
		return time.Now(), nil
	}
	now, err := time.Parse(time.RFC3339, s.now)
	if err != nil {
		return now, fmt.Errorf("%w: --now %q is no instant such as 2024-07-04T03:00:00Z", errUsage, s.now)
	}
	return now, nil
}
