package metrics

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/prometheus/client_golang/prometheus/push"
)

// CheckGateway tells what cannot be the URL of a Pushgateway.
func CheckGateway(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("not a URL such as http://pushgateway:9091")
	}
	// The path of the group goes behind it.
	if u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return fmt.Errorf("a URL with a query or a fragment, such as ?token=…, that nothing could be pushed by")
	}
	return nil
}

// Push sends a report to a Pushgateway, to the group of the labels: in place of
// all that the group has, where the run is published, else of what the report
// has. A user and password in the URL are sent as such and never shown.
func Push(ctx context.Context, gateway string, r *Report, l Labels) error {
	if err := l.Validate(); err != nil {
		return err
	}
	if err := CheckGateway(gateway); err != nil {
		return fmt.Errorf("push metrics: %w", err)
	}
	u, err := url.Parse(gateway)
	if err != nil {
		return fmt.Errorf("push metrics: %w", err)
	}
	families, err := r.gather(nil)
	if err != nil {
		return fmt.Errorf("push metrics: %w", err)
	}
	user := u.User
	u.User = nil
	p := push.New(u.String(), job).Gatherer(given(families)).Client(http.DefaultClient)
	if user != nil {
		password, _ := user.Password()
		p.BasicAuth(user.Username(), password)
	}
	for _, name := range l.names() {
		p.Grouping(name, l[name])
	}
	send := p.PushContext
	if r.Published == nil {
		send = p.AddContext
	}
	if err := send(ctx); err != nil {
		return fmt.Errorf("push metrics: %w", err)
	}
	return nil
}
