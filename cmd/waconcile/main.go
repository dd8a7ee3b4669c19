package main

import (
	"context"
	"os"
	_ "time/tzdata" // account time zones must not depend on the host's files

	_ "golang.org/x/crypto/x509roots/fallback" // nor must TLS, where an image has no certificates
)

func main() {
	ctx, stop := withSignals(context.Background())
	code := run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
