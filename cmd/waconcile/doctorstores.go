package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"waconcile/batch"
	"waconcile/reader"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// answerTimeout bounds what is asked of a store for the first time: one that
// takes longer would take hours of a run.
const answerTimeout = 20 * time.Second

// usedBucket is a bucket with the places that lie in it.
type usedBucket struct {
	name   string
	prefix string   // of the first of them
	flags  []string // of all of them
}

// buckets are those that the settings name, in the order of placeNames.
func (s *settings) buckets() []*usedBucket {
	var buckets []*usedBucket
	for _, flag := range placeNames() {
		name, prefix, isBucket, err := splitPlace(s.place(flag))
		if err != nil || !isBucket {
			continue
		}
		i := slices.IndexFunc(buckets, func(b *usedBucket) bool { return b.name == name })
		if i < 0 {
			i = len(buckets)
			buckets = append(buckets, &usedBucket{name: name, prefix: prefix})
		}
		buckets[i].flags = append(buckets[i].flags, flag)
	}
	return buckets
}

// examineStores looks at what buckets are come to by. Where no place is in a
// bucket there is nothing to look at.
func (d *doctor) examineStores(ctx context.Context) {
	buckets := d.settings.buckets()
	if len(buckets) == 0 {
		return
	}
	var client *s3.Client
	if !d.check("s3", func(c *batch.Check) { client = d.configured(ctx, c) }) {
		d.lack("s3", buckets...)
		return
	}
	var answered []*usedBucket
	var skew *time.Duration
	for _, b := range buckets {
		name := "endpoint " + b.name
		if d.check(name, func(c *batch.Check) { d.reach(ctx, c, client, b, &skew) }) {
			answered = append(answered, b)
		} else {
			d.lack(name, b)
		}
	}
	if skew != nil {
		d.check("clock", func(c *batch.Check) { tellSkew(c, *skew) })
	}
	if !d.check("credentials", func(c *batch.Check) { d.credentials(ctx, c, client) }) {
		d.lack("credentials", answered...)
		return
	}
	for _, b := range answered {
		name := "bucket " + b.name
		if !d.check(name, func(c *batch.Check) { d.enter(ctx, c, client, b) }) {
			d.lack(name, b)
		}
	}
}

// lack has nothing asked of places in buckets, for want of a check.
func (d *doctor) lack(check string, buckets ...*usedBucket) {
	for _, b := range buckets {
		for _, flag := range b.flags {
			d.lacking[flag] = check
		}
	}
}

// configured makes the client.
func (d *doctor) configured(ctx context.Context, c *batch.Check) *s3.Client {
	client, err := d.stores.s3(ctx)
	if err != nil {
		c.Fail(err, "set AWS_REGION, and AWS_PROFILE to a profile that is there or not at all")
		return nil
	}
	c.Found = "region " + client.Options().Region
	if d.settings.s3Endpoint != "" {
		c.Found += ", " + d.settings.s3Endpoint
	}
	if d.settings.s3PathStyle {
		c.Found += ", buckets in the path"
	}
	return client
}

// reach asks for a bucket as nobody, so that whatever answers shows the way to
// be free. skew gets how much the store's clock is ahead.
func (d *doctor) reach(ctx context.Context, c *batch.Check, client *s3.Client, b *usedBucket, skew **time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d.answer)
	defer cancel()
	nobody := s3.New(client.Options(), func(o *s3.Options) {
		o.Credentials = aws.AnonymousCredentials{}
		o.Retryer = aws.NopRetryer{}
	})
	out, err := nobody.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &b.name})
	status := http.StatusOK
	if err == nil {
		if at, ok := awsmiddleware.GetServerTime(out.ResultMetadata); ok && *skew == nil {
			*skew = new(time.Until(at))
		}
	} else if answer, ok := errors.AsType[*awshttp.ResponseError](err); ok && answer.HTTPStatusCode() != 0 {
		status = answer.HTTPStatusCode()
		if at, err := http.ParseTime(answer.Response.Header.Get("Date")); err == nil && *skew == nil {
			*skew = new(time.Until(at))
		}
	} else {
		found, next := d.unreached(ctx, err)
		failStore(c, err, found, next)
		return
	}
	c.Found = fmt.Sprintf("answers, with %d to nobody", status)
	switch {
	case status == http.StatusBadRequest:
		failStore(c, nil, "answers 400 Bad Request", "see that --s3-endpoint is the URL of an S3 service, with https:// where it wants that")
	case status >= http.StatusInternalServerError:
		failStore(c, nil, fmt.Sprintf("answers %d %s", status, http.StatusText(status)), "see how the store does, and try again")
	}
}

// failStore makes a check one that failed for the store's sake. found says it
// in short.
func failStore(c *batch.Check, err error, found, next string) {
	if found == "" {
		found = err.Error()
	}
	c.Fail(fmt.Errorf("%w: %s", reader.ErrStore, found), next)
	c.Found = found
}

// unreached tells why there was no answer.
func (d *doctor) unreached(ctx context.Context, err error) (found, next string) {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Sprintf("DNS: %q has no address: %s", dns.Name, dns.Err), "correct --s3-endpoint or the region; where buckets are in the host name, --s3-path-style puts them into the path; see that the name server is right"
	}
	if cause := tlsCause(err); cause != nil {
		return "TLS: " + cause.Error(), "see that the certificate is for this name and of an authority that is known here; AWS_CA_BUNDLE names a file of others"
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Sprintf("no answer within %s", d.answer), "see that no firewall or network policy is in between, and that the port is that of the store"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return fmt.Sprintf("TCP: %s: %s", op.Addr, op.Err), "see that the store runs, that the port is right, and that no firewall or network policy is in between"
	}
	return err.Error(), "see that --s3-endpoint is the URL of an S3 service"
}

// tlsCause is the part of an error that is about TLS; nil where none is.
func tlsCause(err error) error {
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return e
	}
	if e, ok := errors.AsType[x509.HostnameError](err); ok {
		return e
	}
	if e, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return e
	}
	if e, ok := errors.AsType[tls.AlertError](err); ok {
		return e
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		return http.ErrSchemeMismatch
	}
	return nil
}

// skewMax is how far clocks may be apart before a person should know. S3
// refuses requests from 15 minutes on; yesterday begins at another time before.
const skewMax = time.Minute

func tellSkew(c *batch.Check, ahead time.Duration) {
	const next = "set the clock: relative periods go by it, and S3 refuses requests from 15 minutes on"
	switch {
	case ahead > skewMax:
		c.Warn(fmt.Sprintf("%s behind the store's", ahead.Round(time.Second)), next)
	case ahead < -skewMax:
		c.Warn(fmt.Sprintf("%s ahead of the store's", (-ahead).Round(time.Second)), next)
	default:
		c.Found = "that of the store, give or take a minute"
	}
}

// credentials finds them, and tells where.
func (d *doctor) credentials(ctx context.Context, c *batch.Check, client *s3.Client) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	found, err := client.Options().Credentials.Retrieve(ctx)
	if err != nil {
		failStore(c, err, "none are found: "+err.Error(), "give the pod or machine a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE")
		return
	}
	c.Found = "from " + sourceText(found.Source)
	if n := len(found.AccessKeyID); n > 8 { // enough to tell keys apart
		c.Found += ", key …" + found.AccessKeyID[n-4:]
	}
	if found.CanExpire {
		c.Found += ", until " + found.Expires.UTC().Format(time.RFC3339)
	}
}

// sourceText says where credentials come from as an operator knows it.
func sourceText(source string) string {
	known := map[string]string{
		"EnvConfigCredentials":        "the environment",
		"WebIdentityCredentials":      "a web identity token, as of a service account",
		"CredentialsEndpointProvider": "the container's credentials endpoint, as of a pod identity",
		"EC2RoleProvider":             "the role of the machine",
	}
	if text, ok := known[source]; ok {
		return text
	}
	return strings.TrimPrefix(source, "SharedConfigCredentials: ") // a file
}

// enter lists one object of a bucket with the credentials. A listing that is
// not allowed shows that they are taken; what is allowed the checks of the
// places tell.
func (d *doctor) enter(ctx context.Context, c *batch.Check, client *s3.Client, b *usedBucket) {
	ctx, cancel := context.WithTimeout(ctx, d.answer)
	defer cancel()
	_, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: &b.prefix, MaxKeys: aws.Int32(1)})
	c.Found = "is there, and takes the credentials"
	if err == nil {
		return
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		found, next := d.unreached(ctx, err)
		failStore(c, err, found, next)
		return
	}
	found := api.ErrorCode()
	if m := api.ErrorMessage(); m != "" && m != found {
		found += ": " + m
	}
	switch api.ErrorCode() {
	case "AccessDenied":
		c.Found = "takes the credentials"
	case "NoSuchBucket":
		failStore(c, err, found, "make the bucket, or correct --"+strings.Join(b.flags, ", --"))
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
		failStore(c, err, found, "set AWS_REGION to the region of the bucket")
	case "RequestTimeTooSkewed":
		failStore(c, err, found, "set the clock")
	case "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
		failStore(c, err, found, "take the credentials anew")
	default:
		failStore(c, err, found, "correct the credentials")
	}
}
