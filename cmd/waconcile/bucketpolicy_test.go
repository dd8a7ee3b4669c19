package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"waconcile/reader/miniotest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// bucketPolicy is the file that grants the job its bucket on AWS.
type bucketPolicy struct {
	Version   string
	Statement []policyStatement
}

type policyStatement struct {
	Sid       string
	Effect    string
	Principal map[string]string `json:",omitempty"`
	Action    oneOrMore
	Resource  oneOrMore
	Condition map[string]map[string]oneOrMore `json:",omitempty"`
}

// oneOrMore is a text, or a list of them.
type oneOrMore []string

func (o *oneOrMore) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("[")) {
		return json.Unmarshal(data, (*[]string)(o))
	}
	*o = make(oneOrMore, 1)
	return json.Unmarshal(data, &(*o)[0])
}

const policyPlace = "overlays/aws"

func readBucketPolicy(t *testing.T) bucketPolicy {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(manifestsDir, policyPlace, "bucket-policy.json"))
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var policy bucketPolicy
	if err := decoder.Decode(&policy); err != nil {
		t.Fatal(err)
	}
	return policy
}

// TestBucketPolicy: the policy is about the role of the service account, and
// each place of the settings is granted what its use needs, and no more.
func TestBucketPolicy(t *testing.T) {
	t.Parallel()
	policy, objects := readBucketPolicy(t), render(t, policyPlace)
	job := cronJobs(t, objects)[dailyJob].Spec.JobTemplate.Spec.Template.Spec
	c := job.Containers[0]
	env := environment(t, c, nil)
	args := mounted(t, objects, job, arguments(c, env))
	offerSettings(t, args[slices.Index(args, "--config")+1])
	s := settingsOf(t, args, env)
	role := only[*corev1.ServiceAccount](objects)[0].Annotations["eks.amazonaws.com/role-arn"]
	allowed := map[string][]string{} // by resource, without what may be listed
	var listed []string
	for _, statement := range policy.Statement {
		if role == "" || statement.Principal["AWS"] != role {
			t.Errorf("%s: the principal is %v, the service account's role %q", statement.Sid, statement.Principal, role)
		}
		if statement.Effect != "Allow" {
			continue
		}
		for _, resource := range statement.Resource {
			allowed[resource] = append(allowed[resource], statement.Action...)
		}
		listed = append(listed, statement.Condition["StringLike"]["s3:prefix"]...)
	}
	want, wantListed := map[string][]string{}, []string(nil)
	places := []string{s.exports, s.rates, s.accounts, s.invoices, s.markets, s.recharges, s.costRates, s.costAccounts, s.costMarkets, s.fx, s.out}
	for _, place := range places {
		bucket, prefix, _, err := splitPlace(place)
		if err != nil || !strings.HasSuffix(prefix, "/") {
			t.Fatalf("%s: %v", place, err)
		}
		prefix, _, _ = strings.Cut(prefix, "/") // those of the costs lie in one
		prefix += "/"
		const arn = "arn:aws:s3:::"
		want[arn+bucket] = []string{"s3:ListBucket"}
		want[arn+bucket+"/"+prefix+"*"] = []string{"s3:GetObject"}
		if place == s.out {
			want[arn+bucket+"/"+prefix+"*"] = []string{"s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"}
		}
		wantListed = append(wantListed, prefix+"*")
	}
	if diff := cmp.Diff(want, allowed); diff != "" {
		t.Errorf("what is allowed (-want +got):\n%s", diff)
	}
	slices.Sort(wantListed)
	slices.Sort(listed)
	if diff := cmp.Diff(slices.Compact(wantListed), listed); diff != "" {
		t.Errorf("what may be listed (-want +got):\n%s", diff)
	}
}

// offerSettings takes the places into a settings file that stand in it as
// comments, for whoever has them.
func offerSettings(t *testing.T, name string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	offer := regexp.MustCompile(`(?m)^# ([a-z_]+: s3://)`)
	if !offer.Match(text) {
		t.Fatal("no place is offered")
	}
	if err := os.WriteFile(name, offer.ReplaceAll(text, []byte("$1")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestBucketPolicySuffices runs the job under the policy, as MinIO understands
// it, and without each of its permissions: it needs every one, and may not
// delete. Only s3:AbortMultipartUpload is for runs that go wrong. Under the
// whole policy so do the other commands of the runbook, the same job again and
// one of a part of the month.
func TestBucketPolicySuffices(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	demo := filepath.Join(t.TempDir(), "demo")
	if out, err := exec.CommandContext(t.Context(), programName, "demo", "--dir", demo, "--messages", "1000").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	tests := map[string]struct {
		without string
		code    int
	}{
		"whole":          {"", exitOK},
		"without list":   {"s3:ListBucket", exitStore},
		"without inputs": {"ReadInputs", exitStore},
		"without read":   {"s3:GetObject", exitStore},
		"without write":  {"s3:PutObject", exitStore},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPolicyTrial(t, server, demo, test.without)
			if code, _ := p.run(t, "run", "--period", "2024-07"); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if test.without == "" {
				p.runOthers(t)
			}
			key := "exports/dt=2024-07-01/part-0.parquet"
			if _, err := p.client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &p.bucket, Key: &key}); err == nil {
				t.Error("an export could be deleted")
			}
			if _, err := p.client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &p.bucket, Key: &key, Body: strings.NewReader("x")}); err == nil {
				t.Error("an export could be overwritten")
			}
		})
	}
}

// policyTrial is a bucket with the month of the demo, and a client that may do
// what a policy allows.
type policyTrial struct {
	server *miniotest.Server
	bucket string
	keys   aws.Credentials
	client *s3.Client
}

func newPolicyTrial(t *testing.T, server *miniotest.Server, demo, without string) *policyTrial {
	t.Helper()
	p := &policyTrial{server: server, bucket: server.Bucket(t)}
	uploadDemo(t, server.Client(t), p.bucket, demo)
	policy := readBucketPolicy(t)
	policy.Statement = slices.DeleteFunc(policy.Statement, func(s policyStatement) bool { return s.Sid == without })
	for i := range policy.Statement {
		s := &policy.Statement[i]
		s.Principal = nil // the policy is the session's here
		s.Action = slices.DeleteFunc(s.Action, func(action string) bool { return action == without })
		for j := range s.Resource {
			s.Resource[j] = strings.Replace(s.Resource[j], "example-whatsapp", p.bucket, 1)
		}
	}
	policy.Statement = slices.DeleteFunc(policy.Statement, func(s policyStatement) bool { return len(s.Action) == 0 })
	text, err := json.Marshal(policy)
	if err != nil {
		t.Fatal(err)
	}
	tokens := sts.New(sts.Options{
		BaseEndpoint: &server.Endpoint, Region: server.Region,
		Credentials: credentials.NewStaticCredentialsProvider(server.AccessKey, server.SecretKey, ""),
	})
	role, err := tokens.AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::111122223333:role/waconcile"), RoleSessionName: aws.String("test"), Policy: aws.String(string(text)),
	})
	if err != nil {
		t.Fatal(err)
	}
	p.keys = aws.Credentials{
		AccessKeyID: *role.Credentials.AccessKeyId, SecretAccessKey: *role.Credentials.SecretAccessKey, SessionToken: *role.Credentials.SessionToken,
	}
	p.client = s3.New(s3.Options{
		BaseEndpoint: &server.Endpoint, Region: server.Region, UsePathStyle: true,
		Credentials: credentials.StaticCredentialsProvider{Value: p.keys},
	})
	return p
}

// runOthers runs what else the runbook runs. The demo's rates lack a price on
// purpose, and doctor finds nothing else.
func (p *policyTrial) runOthers(t *testing.T) {
	t.Helper()
	if code, out := p.run(t, "doctor", "--period", "2024-07"); code != exitFailOn || !strings.Contains(out, " checks: 1 failed") {
		t.Errorf("doctor: exit code %d\n%s", code, out)
	}
	for _, args := range [][]string{
		{"plan", "--period", "2024-07"},
		{"run", "--period", "2024-07-01..2024-07-29"},
		{"run", "--simulate", "--period", "2024-07"},
		{"verify", "--period", "2024-07"},
		{"close", "2024-07"},
		{"run", "--period", "2024-07"},
	} {
		if code, out := p.run(t, args...); code != exitOK {
			t.Errorf("%s: exit code %d\n%s", strings.Join(args, " "), code, out)
		}
	}
}

// run runs a command with the settings of the overlay for AWS.
func (p *policyTrial) run(t *testing.T, args ...string) (code int, output string) {
	t.Helper()
	settings := filepath.Join(manifestsDir, policyPlace, "waconcile.yaml")
	data, err := os.ReadFile(settings)
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "waconcile.yaml")
	if err := os.WriteFile(config, bytes.ReplaceAll(data, []byte("example-whatsapp"), []byte(p.bucket)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), programName, append(args, "--config", config)...)
	cmd.Env = append(os.Environ(), "WACONCILE_S3_ENDPOINT="+p.server.Endpoint, "WACONCILE_S3_PATH_STYLE=true", "AWS_REGION="+p.server.Region,
		"AWS_ACCESS_KEY_ID="+p.keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+p.keys.SecretAccessKey, "AWS_SESSION_TOKEN="+p.keys.SessionToken)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Logf("%v\n%s", err, out)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// uploadDemo puts the inputs of a demo under the prefixes of the overlay.
func uploadDemo(t *testing.T, client *s3.Client, bucket, demo string) {
	t.Helper()
	inputs := os.DirFS(demo)
	err := fs.WalkDir(inputs, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(name, "out/") {
			return err
		}
		key := name
		switch name {
		case "rates.csv":
			key = "rates/rates.csv"
		case "accounts.csv":
			key = "accounts/accounts.csv"
		}
		data, err := fs.ReadFile(inputs, name)
		if err != nil {
			return err
		}
		_, err = client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(data)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
