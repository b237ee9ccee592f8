package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"

	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/toolchain/servers/serverstest"
)

// everyAct asks the store for each thing that a store does, and returns what it
// answered.
func everyAct(ctx context.Context, s *blob.Store, ref string) map[string]error {
	_, _, put := s.Put(ctx, "c1", "plan", bytes.NewReader(text(100)))
	_, large := s.PutAt(ctx, "c1", "large", io.LimitReader(zeros{}, 20<<20))
	r, read := s.Get(ctx, "c1", ref)
	if read == nil {
		_ = r.Close()
	}
	return map[string]error{
		"put": put, "put in parts": large, "get": read, "delete": s.Delete(ctx, "c1", "large"), "probe": s.Probe(ctx),
		"list": s.List(ctx, "c1", func(blob.Item) error { return nil }),
		"keys": s.Keys(ctx, func(blob.Item, string) error { return nil }),
	}
}

// The clouds' libraries read their credentials once in a process: other ones
// take another process, which is this test's own program.
const (
	actsURL = "TIDELOCK_TEST_ACTS_URL"
	actsRef = "TIDELOCK_TEST_ACTS_REF"
)

type answer struct {
	Act, Sentence string
	Cause         string // for whoever reads the test's failure
	Kind          errs.Kind
	Failed        bool
}

func TestActsChild(t *testing.T) {
	if os.Getenv(actsURL) == "" {
		t.Skip("only the tests of credentials start it")
	}
	for act, err := range everyAct(t.Context(), openURL(t, os.Getenv(actsURL)), os.Getenv(actsRef)) {
		a := answer{Act: act, Failed: err != nil}
		if err != nil {
			a.Sentence, a.Cause, a.Kind = errs.Sentence(err), err.Error(), errs.KindOf(err)
		}
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("answer %s\n", text)
	}
}

// actsWith does every act with these variables in the environment besides.
func actsWith(t *testing.T, url, ref string, environ ...string) []answer {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=TestActsChild$", "-test.v")
	cmd.Env = slices.Concat(os.Environ(), []string{actsURL + "=" + url, actsRef + "=" + ref}, environ)
	out, err := cmd.CombinedOutput()
	var all []answer
	for line := range strings.Lines(string(out)) {
		var a answer
		if text, ok := strings.CutPrefix(line, "answer "); ok && json.Unmarshal([]byte(text), &a) == nil {
			all = append(all, a)
		}
	}
	if err != nil || len(all) != 7 {
		t.Fatalf("%v: %s", err, out)
	}
	return all
}

// refused checks that each act fails with a sentence that names the bucket and
// says what to mend, on one line.
func refused(t *testing.T, url, ref, name, why string, environ ...string) {
	t.Helper()
	for _, a := range actsWith(t, url, ref, environ...) {
		words := []string{name, why}
		if a.Act == "put in parts" {
			words = words[:1] // a server may break off what is long without a word
		}
		for _, word := range words {
			if !a.Failed || a.Kind != errs.Unavailable || !strings.Contains(a.Sentence, word) || strings.Contains(a.Sentence, "\n") {
				t.Errorf("%+v lacks %q", a, word)
			}
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// Credentials that are wrong or lack a right are refused as such by each real
// server: not taken for a bucket that works, nor for an object that is gone.
func TestWrongCredentialsOnRealServers(t *testing.T) {
	const mend = "refuses these credentials: they are wrong, have expired, or lack a right. They need to read, write, list and delete"
	t.Run("s3", func(t *testing.T) {
		server := serverstest.StartS3(t)
		ref := put(t, openURL(t, server.URL()), "c1", text(100))
		for wrong, why := range map[string]string{
			"AWS_SECRET_ACCESS_KEY=canary-wrong-secret": mend,
			"AWS_ACCESS_KEY_ID=nobody":                  "(XAdminUserNotFound)", // of this server's own; Amazon's is a 403
		} {
			t.Run(wrong, func(t *testing.T) { refused(t, server.URL(), ref, "s3://blobs", why, wrong) })
		}
		if got, err := get(t, openURL(t, server.URL()), "c1", ref); err != nil || len(got) != 100 {
			t.Errorf("afterwards: %d bytes, %v", len(got), err)
		}
	})
	t.Run("azblob", func(t *testing.T) {
		server := serverstest.StartAzurite(t)
		ref := put(t, openURL(t, server.URL()), "c1", text(100))
		signed := func(allowed sas.ContainerPermissions, end time.Time) string {
			t.Helper()
			text, err := server.Container.GetSASURL(allowed, end, &container.GetSASURLOptions{StartTime: new(time.Now().Add(-2 * time.Hour))})
			if err != nil {
				t.Fatal(err)
			}
			_, signature, _ := strings.Cut(text, "?")
			return signature
		}
		all, later := sas.ContainerPermissions{Read: true, Write: true, Create: true, List: true, Delete: true}, time.Now().Add(time.Hour)
		for name, signature := range map[string]string{
			"ended":     signed(all, time.Now().Add(-time.Hour)),
			"no rights": signed(sas.ContainerPermissions{Tag: true}, later),
			"tampered":  strings.Replace(signed(all, later), "sp=", "sp=a", 1),
		} {
			t.Run(name, func(t *testing.T) {
				url, environ := server.Shared(signature)
				refused(t, url, ref, "azblob://blobs", mend, environ...)
			})
		}
		t.Run("wrong key", func(t *testing.T) {
			refused(t, server.URL(), ref, "azblob://blobs", mend, "AZURE_STORAGE_KEY=Y2FuYXJ5LXdyb25nLWtleQ==")
		})
		// What the manual tells people to give suffices.
		t.Run("shared access signature", func(t *testing.T) {
			url, environ := server.Shared(signed(all, later))
			for _, a := range actsWith(t, url, ref, environ...) {
				if a.Failed {
					t.Errorf("%+v", a)
				}
			}
		})
	})
}

// A bucket that is not there is no missing object: whoever reads that would
// believe the object to be lost.
func TestNoSuchBucket(t *testing.T) {
	for _, c := range clouds {
		t.Run(c.name, func(t *testing.T) {
			there := c.url(t)
			s := openURL(t, there)
			if _, err := get(t, s, "c1", "plan-1"); !errs.Is(err, errs.NotFound) {
				t.Errorf("an object that is not there: %v", err)
			}
			gone := openURL(t, strings.Replace(there, "//blobs", "//elsewhere", 1))
			for act, err := range everyAct(t.Context(), gone, "plan-1") {
				if !errs.Is(err, errs.Unavailable) || !strings.Contains(errs.Sentence(err), "//elsewhere") {
					t.Errorf("%s: %v", act, err)
				}
			}
		})
	}
}

// A large blob passes through: to the bucket and back, whole, in the memory that
// the package promises.
func TestLargeBlobStreamsThroughRealServers(t *testing.T) {
	const size = 32 << 20
	for name, where := range map[string]func(t *testing.T) string{
		"s3":     func(t *testing.T) string { return serverstest.StartS3(t).URL() },
		"azblob": func(t *testing.T) string { return serverstest.StartAzurite(t).URL() },
	} {
		t.Run(name, func(t *testing.T) {
			s := openURL(t, where(t))
			if err := s.Probe(t.Context()); err != nil { // what a client keeps is there from now on
				t.Fatal(err)
			}
			sum := sha256.New()
			in := &weighed{t: t, r: io.TeeReader(io.LimitReader(&counting{}, size), sum)}
			ref, n, err := s.Put(t.Context(), "c1", "state", in)
			if err != nil || n != size {
				t.Fatalf("%d bytes, %v", n, err)
			}
			r, err := s.Get(t.Context(), "c1", ref)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			back := sha256.New()
			out := &weighed{t: t, r: r}
			if _, err := io.Copy(back, struct{ io.Reader }{out}); err != nil {
				t.Fatal(err)
			}
			if got, want := hex.EncodeToString(back.Sum(nil)), hex.EncodeToString(sum.Sum(nil)); got != want {
				t.Errorf("%s came back as %s", want, got)
			}
			t.Logf("most held: %d MB to put, %d MB to get", in.most>>20, out.most>>20)
			if in.most > 40<<20 || out.most > 10<<20 {
				t.Errorf("held %d MB to put and %d MB to get", in.most>>20, out.most>>20)
			}
		})
	}
}

// counting gives bytes that repeat nowhere near.
type counting struct{ n uint32 }

func (c *counting) Read(p []byte) (int, error) {
	for i := range p {
		c.n = c.n*1664525 + 1013904223
		p[i] = byte(c.n >> 24)
	}
	return len(p), nil
}

// weighed looks every few megabytes at how much memory is held beyond that at
// first.
type weighed struct {
	t     *testing.T
	r     io.Reader
	n     int64
	next  int64
	first int64
	most  int64
}

func (w *weighed) Read(p []byte) (int, error) {
	if w.n >= w.next {
		w.next += 8 << 20
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if w.first == 0 {
			w.first = int64(m.HeapAlloc)
		}
		w.most = max(w.most, int64(m.HeapAlloc)-w.first)
	}
	n, err := w.r.Read(p)
	w.n += int64(n)
	return n, err
}
