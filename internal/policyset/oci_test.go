package policyset

import (
	"bytes"
	"encoding/json"
	"io"
	stdlog "log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/tidelock/tidelock/internal/policy/policytest"
)

// registryServer is a real OCI registry on loopback. With a password it wants
// that; what tamper gives is answered in place of a blob.
type registryServer struct {
	t        *testing.T
	host     string
	password string
	tamper   func(path string) []byte
	blobs    atomic.Int64
}

func newRegistry(t *testing.T) *registryServer {
	t.Helper()
	r := &registryServer{t: t}
	inner := registry.New(registry.Logger(stdlog.New(io.Discard, "", 0)))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if _, password, _ := req.BasicAuth(); r.password != "" && password != r.password {
			w.Header().Set("WWW-Authenticate", `Basic realm="policies"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if req.Method == http.MethodGet && strings.Contains(req.URL.Path, "/blobs/") {
			r.blobs.Add(1)
			if r.tamper != nil {
				if text := r.tamper(req.URL.Path); text != nil {
					_, _ = w.Write(text)
					return
				}
			}
		}
		inner.ServeHTTP(w, req)
	}))
	t.Cleanup(srv.Close)
	r.host = strings.TrimPrefix(srv.URL, "http://")
	return r
}

type layer struct{ typ, title, text string }

// push puts an artifact there, as conftest and oras do, and returns its digest.
func (r *registryServer) push(tag, config string, layers ...layer) string {
	r.t.Helper()
	blob := func(typ, title string, text []byte) ocispec.Descriptor {
		d := ocispec.Descriptor{MediaType: typ, Digest: digest.FromBytes(text), Size: int64(len(text))}
		if title != "" {
			d.Annotations = map[string]string{ocispec.AnnotationTitle: title}
		}
		r.send(http.MethodPost, "/v2/acme/policies/blobs/uploads/?digest="+d.Digest.String(), "application/octet-stream", text)
		return d
	}
	m := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: blob(config, "", []byte("{}"))}
	for _, l := range layers {
		m.Layers = append(m.Layers, blob(l.typ, l.title, []byte(l.text)))
	}
	text, err := json.Marshal(m)
	if err != nil {
		r.t.Fatal(err)
	}
	r.send(http.MethodPut, "/v2/acme/policies/manifests/"+tag, ocispec.MediaTypeImageManifest, text)
	return digest.FromBytes(text).String()
}

func (r *registryServer) send(method, path, typ string, text []byte) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, "http://"+r.host+path, bytes.NewReader(text))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", typ)
	req.SetBasicAuth("any", r.password)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		r.t.Fatalf("%s %s: %s", method, path, resp.Status)
	}
}

func (r *registryServer) pack(tag string) PackConfig {
	return PackConfig{OCI: r.host + "/acme/policies:" + tag}
}

const conftestConfig = "application/vnd.cncf.openpolicyagent.config.v1+json"

func TestRegistry(t *testing.T) {
	r := newRegistry(t)
	first := r.push("1", conftestConfig, layer{regoLayer, "policy/a.rego", titled("one")}, layer{dataLayer, "data/x.json", `{"a": 1}`}, layer{"text/plain", "README.md", "not read"})
	b := newBench(t, r.pack("1"))
	b.want("as conftest pushes it", "one")
	if s := b.sets.States(t.Context()); s[0].Revision != first || s[0].Rules != 1 || s[0].Problem != "" {
		t.Errorf("states %+v", s)
	}
	blobs := r.blobs.Load()
	b.pass()
	b.want("what has not changed", "one")
	if r.blobs.Load() != blobs {
		t.Error("what has not changed was fetched again")
	}
	key := policytest.NewSigner(t, "ES256", "house")
	dir := t.TempDir()
	write(t, dir, "key.pem", key.Public)
	modules := func(word string) map[string]string { return map[string]string{"acme/a.rego": titled(word)} }
	signed := string(policytest.Bundle(t, "r1", modules("two"), map[string]any{"acme": map[string]any{"list": []any{"x"}}}, &key))
	second := r.push("1", "application/vnd.oci.image.config.v1+json", layer{"application/vnd.oci.image.layer.v1.tar+gzip", "bundle.tar.gz", signed})
	b.pass()
	b.want("as oras pushes a bundle", "two")

	pinned := newBench(t, PackConfig{OCI: r.host + "/acme/policies@" + first})
	pinned.want("by its digest", "one")
	hashed := r.pack("1")
	hashed.SHA256 = strings.TrimPrefix(first, "sha256:")
	newBench(t, hashed).want("another than is asked for", "has the digest "+second)

	p := r.pack("1")
	p.KeyFile, p.Algorithm, p.RequireSignature = dir+"/key.pem", "ES256", true
	b = newBench(t, p)
	b.want("signed", "two")
	for _, bad := range []struct{ name, text string }{
		{"unsigned", string(policytest.Bundle(t, "r2", modules("bad"), nil, nil))},
		{"slips out", string(archive(t, file("../x.rego", "x")))},
		{"no bundle", "hello"},
	} {
		r.push("1", conftestConfig, layer{"application/vnd.oci.image.layer.v1.tar+gzip", "bundle.tar.gz", bad.text})
		b.pass()
		b.want(bad.name, "twoThe newest policies")
	}
	r.push("empty", conftestConfig, layer{"text/plain", "README.md", "nothing"})
	newBench(t, r.pack("empty")).want("without policies", "holds no policies")
	r.push("untitled", conftestConfig, layer{regoLayer, "", titled("x")})
	newBench(t, r.pack("untitled")).want("without a title", "has no title")
	r.push("slip", conftestConfig, layer{regoLayer, "../../x.rego", titled("x")})
	newBench(t, r.pack("slip")).want("with a title that leads out", "would not stay")
	r.push("large", conftestConfig, layer{regoLayer, "a.rego", strings.Repeat("#", 17<<20)})
	newBench(t, r.pack("large")).want("too large", "more than 16 MB")
	newBench(t, r.pack("none")).want("that is not there", "could not be asked")
}

// What a registry gives out in place of what the digest names is not taken.
func TestThreat_RegistryThatTampers(t *testing.T) {
	r := newRegistry(t)
	r.push("1", conftestConfig, layer{regoLayer, "a.rego", titled("good")})
	r.tamper = func(string) []byte { return []byte(titled("evil")) }
	newBench(t, r.pack("1")).want("another blob of the same length", "is not what its digest says")
}

// The registry's password comes from a secret, and nobody else's is needed.
func TestRegistryWithPassword(t *testing.T) {
	r := newRegistry(t)
	r.password = "a-token-of-the-source"
	r.push("1", conftestConfig, layer{regoLayer, "a.rego", titled("one")})
	newBench(t, r.pack("1")).want("without it", "refuses to give out")
	p := r.pack("1")
	p.Token = "source"
	newBench(t, p).want("with it", "one")
}
