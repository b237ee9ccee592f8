package blob_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fsouza/fake-gcs-server/fakestorage"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/toolchain/servers/serverstest"
)

// s3Server starts an S3 server in this process and returns a bucket's URL.
func s3Server(t *testing.T, wrap func(http.Handler) http.Handler) string {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("blobs"); err != nil {
		t.Fatal(err)
	}
	h := gofakes3.New(backend).Server()
	if wrap != nil {
		h = wrap(h)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	return "s3://blobs?region=us-east-1&prefix=one/&endpoint=" + url.QueryEscape(server.URL)
}

func gcsServer(t *testing.T) string {
	t.Helper()
	address := serverstest.FreeAddress(t)
	_, text, _ := net.SplitHostPort(address)
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	server, err := fakestorage.NewServerWithOptions(fakestorage.Options{Scheme: "http", Host: "127.0.0.1", Port: uint16(port), PublicHost: address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	server.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: "blobs"})
	t.Setenv("STORAGE_EMULATOR_HOST", strings.TrimPrefix(server.URL(), "http://"))
	return "gs://blobs?prefix=one/"
}

// clouds are the servers that the same promises are tested on.
var clouds = []struct {
	name string
	url  func(t *testing.T) string
}{
	{"s3", func(t *testing.T) string { return s3Server(t, nil) }},
	{"real s3", func(t *testing.T) string { return serverstest.StartS3(t).URL() + "&prefix=one/" }},
	{"gs", gcsServer},
	{"azblob", func(t *testing.T) string { return serverstest.StartAzurite(t).URL() + "&prefix=one/" }},
}

func openURL(t *testing.T, url string) *blob.Store {
	t.Helper()
	s, err := blob.OpenURL(t.Context(), url, key(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestBuckets(t *testing.T) {
	for _, c := range clouds {
		t.Run(c.name, func(t *testing.T) {
			url := c.url(t)
			s, other := openURL(t, url), openURL(t, url)
			if err := s.Probe(t.Context()); err != nil {
				t.Fatal(err)
			}
			refs := map[string]int{}
			for _, n := range []int{0, 1, segment, segment + 1, 6<<20 + 7} {
				ref := put(t, s, "c1", text(n))
				refs[ref] = n
				// A node that shares the bucket reads it.
				if got, err := get(t, other, "c1", ref); err != nil || !bytes.Equal(got, text(n)) {
					t.Errorf("%d bytes: got %d, %v", n, len(got), err)
				}
				if _, err := get(t, other, "c2", ref); !errs.Is(err, errs.NotFound) {
					t.Errorf("another client: %v", err)
				}
			}
			listed := map[string]bool{}
			if err := s.List(t.Context(), "c1", func(i blob.Item) error {
				listed[i.Ref] = true
				if i.Client != "c1" || blob.PlainSize(i.Size) != int64(refs[i.Ref]) || time.Since(i.Written) > time.Hour {
					t.Errorf("listed: %+v", i)
				}
				return nil
			}); err != nil || len(listed) != len(refs) {
				t.Errorf("%d of %d listed, %v", len(listed), len(refs), err)
			}
			broken := errors.New("the log's writer died")
			if _, _, err := s.Put(t.Context(), "c1", "log", io.MultiReader(bytes.NewReader(text(7<<20)), failing{broken})); !errors.Is(err, broken) {
				t.Errorf("a reader that fails: %v", err)
			}
			var kept string
			for kept = range refs {
				break
			}
			referred := func(_, ref string) bool { return ref == kept }
			later := time.Now().Add(time.Hour)
			if dry, err := s.Sweep(t.Context(), later, true, referred); err != nil || len(dry) != len(refs)-1 {
				t.Errorf("dry: %d, %v", len(dry), err)
			}
			if young, err := s.Sweep(t.Context(), time.Now().Add(-time.Hour), false, referred); err != nil || len(young) != 0 {
				t.Errorf("young ones: %d, %v", len(young), err)
			}
			if swept, err := s.Sweep(t.Context(), later, false, referred); err != nil || len(swept) != len(refs)-1 {
				t.Errorf("swept: %d, %v", len(swept), err)
			}
			for ref := range refs {
				if _, err := get(t, s, "c1", ref); (err == nil) != (ref == kept) {
					t.Errorf("%s after the sweep: %v", ref, err)
				}
			}
			for range 2 {
				if err := s.Delete(t.Context(), "c1", kept); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// What a bucket holds can be destroyed by who can write there, and not read,
// changed or moved.
func TestThreat_BucketHoldsNothingReadable(t *testing.T) {
	s := openURL(t, s3Server(t, nil))
	const canary = "canary-77c1-secret"
	ref := put(t, s, "c1", bytes.Repeat([]byte(canary), 1000))
	r, err := s.GetSealed(t.Context(), "c1", ref)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	raw, err := io.ReadAll(r)
	if err != nil || bytes.Contains(raw, []byte(canary)) {
		t.Fatalf("readable, or %v", err)
	}
	raw[len(raw)/2] ^= 1
	if err := s.PutBack(t.Context(), "c1", ref, bytes.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, s, "c1", ref); err == nil || !strings.Contains(errs.Sentence(err), "tampered") {
		t.Errorf("changed: %v", err)
	}
	raw[len(raw)/2] ^= 1
	if err := s.PutBack(t.Context(), "c2", ref, bytes.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, s, "c2", ref); err == nil || !strings.Contains(errs.Sentence(err), "tampered") {
		t.Errorf("moved: %v", err)
	}
}

// A write that the bucket refuses is no reference, and says where.
func TestBucketThatRefuses(t *testing.T) {
	refuse := false
	s := openURL(t, s3Server(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if refuse && r.Method != http.MethodGet {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			h.ServeHTTP(w, r)
		})
	}))
	refuse = true
	ref, _, err := s.Put(t.Context(), "c1", "plan", bytes.NewReader(text(100)))
	if !errs.Is(err, errs.Unavailable) || ref != "" || !strings.Contains(errs.Sentence(err), "s3://blobs/one") {
		t.Errorf("%q, %v", ref, err)
	}
	if err := s.Probe(t.Context()); err == nil {
		t.Error("the probe saw nothing")
	}
}

// The SDK refuses a bundle of its own with a client that is not its own: see
// that ours is.
func TestBucketWithAnOwnCABundle(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CA_BUNDLE", bundle)
	s := openURL(t, s3Server(t, nil))
	if err := s.Probe(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCheckURL(t *testing.T) {
	for url, want := range map[string]string{
		"s3://b?region=eu-central-1": "", "gs://b": "", "azblob://c?prefix=a/": "",
		"": "must be", "file:///tmp": "must be", "/tmp": "must be", "s3://": "must be", "https://b": "must be",
		"s3://key:secret@b": "credentials", "s3://b/folder": "prefix=folder/",
	} {
		if got := blob.CheckURL(url); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", url, got, want)
		}
	}
	if _, err := blob.OpenURL(t.Context(), "s3://key:secret@b", key(1)); !errs.Is(err, errs.Invalid) || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
}

// Two nodes share a PostgreSQL database and a bucket: a plan that one saved is
// applied by the other.
func TestNodesShareABucket(t *testing.T) {
	url := s3Server(t, nil)
	first, second := dbtest.Postgres(t), openURL(t, url)
	one := openURL(t, url)
	if _, err := first.ExecContext(t.Context(), `CREATE TABLE plans (client TEXT, ref TEXT)`); err != nil {
		t.Fatal(err)
	}
	ref := put(t, one, "c1", text(300_000))
	if _, err := first.ExecContext(t.Context(), `INSERT INTO plans VALUES ('c1', $1)`, ref); err != nil {
		t.Fatal(err)
	}
	var client, known string
	if err := first.QueryRowContext(t.Context(), `SELECT client, ref FROM plans`).Scan(&client, &known); err != nil {
		t.Fatal(err)
	}
	if got, err := get(t, second, client, known); err != nil || !bytes.Equal(got, text(300_000)) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
