// Package providerstest is a registry of providers and a network mirror on
// loopback, with a signing key of its own, for tests and benchmarks. It counts
// what it is asked, and can misbehave.
package providerstest

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"golang.org/x/mod/sumdb/dirhash"
)

// Hosts are those that the server answers as.
var Hosts = []string{"registry.terraform.io", "registry.opentofu.org", "mirror.example.com", "providers.example.com"}

// Public is the address that the names are looked up to.
var Public = netip.MustParseAddr("93.184.216.34")

// Registry is a running server. Set its switches before it is asked.
type Registry struct {
	server *httptest.Server
	roots  *x509.CertPool
	caFile []byte
	entity *openpgp.Entity
	armor  string

	mu       sync.Mutex
	releases map[string]map[string]map[string][]byte // HOST/NAMESPACE/TYPE → version → platform → zip
	asked    map[string]int                          // by path
	// Alter, where it is not nil, changes an answer's body by its path.
	alter func(path string, body []byte) []byte
	// keys replaces the armoured keys that are named.
	keys    []string
	addr    map[string]netip.Addr
	noSums  bool // the network mirror names no checksums
	dropped int
}

// Start starts a registry without releases. Close ends it.
func Start() (*Registry, error) {
	r := &Registry{releases: map[string]map[string]map[string][]byte{}, asked: map[string]int{}, addr: map[string]netip.Addr{}}
	var err error
	if r.entity, r.armor, err = NewKey(); err != nil {
		return nil, err
	}
	cert, text, err := certificate()
	if err != nil {
		return nil, err
	}
	r.caFile, r.roots = text, x509.NewCertPool()
	r.roots.AppendCertsFromPEM(text)
	r.server = httptest.NewUnstartedServer(r)
	r.server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	r.server.Config.ErrorLog = nil
	r.server.StartTLS()
	return r, nil
}

// Close ends the server.
func (r *Registry) Close() { r.server.Close() }

// URL is the server's own address, https://127.0.0.1:PORT.
func (r *Registry) URL() string { return r.server.URL }

// CA is the certificate that vouches for the server, in PEM.
func (r *Registry) CA() []byte { return r.caFile }

// Roots are who vouches for the server.
func (r *Registry) Roots() *x509.CertPool { return r.roots }

// NewKey makes a signing key.
func NewKey() (*openpgp.Entity, string, error) {
	entity, err := openpgp.NewEntity("Stand-in", "", "providers@example.com", nil)
	if err != nil {
		return nil, "", err
	}
	var text bytes.Buffer
	w, err := armor.Encode(&text, openpgp.PublicKeyType, nil)
	if err != nil {
		return nil, "", err
	}
	if err := entity.Serialize(w); err != nil {
		return nil, "", err
	}
	if err := w.Close(); err != nil { // which writes the end
		return nil, "", err
	}
	return entity, text.String(), nil
}

func certificate() (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "stand-in registry"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: Hosts, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// Lookup resolves every name to a public address, but those that SetAddress
// named.
func (r *Registry) Lookup(_ context.Context, host string) ([]netip.Addr, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ip, ok := r.addr[host]; ok {
		return []netip.Addr{ip}, nil
	}
	if slices.Contains(Hosts, host) {
		return []netip.Addr{Public}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// Dial connects to the server, whatever public address is asked for. An
// address on loopback is dialled as it is.
func (r *Registry) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if host, _, err := net.SplitHostPort(addr); err == nil && host == Public.String() {
		addr = r.server.Listener.Addr().String()
	}
	return (&net.Dialer{}).DialContext(ctx, network, addr)
}

// SetAddress has a name resolve to an address.
func (r *Registry) SetAddress(host, ip string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.addr[host] = netip.MustParseAddr(ip)
}

// Alter has f change every body before it is sent; f nil ends that.
func (r *Registry) Alter(f func(path string, body []byte) []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.alter = f
}

// Keys has the registry name other keys than the one that it signs with.
func (r *Registry) Keys(armored ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys = append([]string{}, armored...)
}

// BreakOff has the next n bodies of archives end half way.
func (r *Registry) BreakOff(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropped = n
}

// NoHashes has the network mirror name no checksums.
func (r *Registry) NoHashes() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.noSums = true
}

// Add publishes a release for platforms. The provider is HOST/NAMESPACE/TYPE.
func (r *Registry) Add(provider, version string, archive []byte, platforms ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.releases[provider] == nil {
		r.releases[provider] = map[string]map[string][]byte{}
	}
	r.releases[provider][version] = map[string][]byte{}
	for _, p := range platforms {
		r.releases[provider][version][p] = archive
	}
}

// AddPlatform publishes a release's archive for one more platform.
func (r *Registry) AddPlatform(provider, version, platform string, archive []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.releases[provider][version][platform] = archive
}

// Asked returns how often paths were asked for that contain text.
func (r *Registry) Asked(text string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for p, times := range r.asked {
		if strings.Contains(p, text) {
			n += times
		}
	}
	return n
}

// Downloads returns how many archives were asked for.
func (r *Registry) Downloads() int { return r.Asked("/files/") - r.Asked("SHA256SUMS") }

// ServeHTTP answers as registry, as mirror and as the host of the files.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method == http.MethodGet { // the tools ask for an archive's head before
		r.mu.Lock()
		r.asked[req.URL.Path]++
		r.mu.Unlock()
	}
	host := req.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	parts := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
	switch {
	case req.URL.Path == "/.well-known/terraform.json":
		r.json(w, req, map[string]any{"providers.v1": "/v1/providers/", "modules.v1": "/v1/modules/"})
	case len(parts) == 5 && parts[0] == "v1" && parts[4] == "versions":
		r.versions(w, req, host+"/"+parts[2]+"/"+parts[3])
	case len(parts) == 8 && parts[0] == "v1" && parts[5] == "download":
		r.download(w, req, host+"/"+parts[2]+"/"+parts[3], parts[4], parts[6]+"_"+parts[7])
	case len(parts) == 6 && parts[0] == "files":
		r.file(w, req, path.Join(parts[1:4]...), parts[4], parts[5])
	case len(parts) == 5 && parts[0] == "mirror":
		r.mirror(w, req, path.Join(parts[1:4]...), parts[4])
	default:
		http.NotFound(w, req)
	}
}

func (r *Registry) release(provider, version string) (map[string][]byte, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all, ok := r.releases[provider][version]
	return maps.Clone(all), ok
}

func (r *Registry) versions(w http.ResponseWriter, req *http.Request, provider string) {
	type platform struct {
		OS   string `json:"os"`
		Arch string `json:"arch"`
	}
	type entry struct {
		Version   string     `json:"version"`
		Protocols []string   `json:"protocols"`
		Platforms []platform `json:"platforms"`
	}
	var list []entry
	r.mu.Lock()
	all, ok := r.releases[provider]
	for v, platforms := range all {
		e := entry{Version: v, Protocols: []string{"6.0"}}
		for p := range platforms {
			system, arch, _ := strings.Cut(p, "_")
			e.Platforms = append(e.Platforms, platform{system, arch})
		}
		list = append(list, e)
	}
	r.mu.Unlock()
	if !ok {
		http.NotFound(w, req)
		return
	}
	r.json(w, req, map[string]any{"versions": list})
}

func archiveName(provider, version, platform string) string {
	return fmt.Sprintf("terraform-provider-%s_%s_%s.zip", path.Base(provider), version, platform)
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (r *Registry) download(w http.ResponseWriter, req *http.Request, provider, version, platform string) {
	all, _ := r.release(provider, version)
	archive, ok := all[platform]
	if !ok {
		http.NotFound(w, req)
		return
	}
	r.mu.Lock()
	keys := []string{r.armor}
	if r.keys != nil {
		keys = r.keys
	}
	r.mu.Unlock()
	named := []map[string]string{}
	for _, k := range keys {
		named = append(named, map[string]string{"ascii_armor": k})
	}
	system, arch, _ := strings.Cut(platform, "_")
	base := "/files/" + provider + "/" + version + "/"
	r.json(w, req, map[string]any{
		"protocols": []string{"6.0"}, "os": system, "arch": arch, "filename": archiveName(provider, version, platform),
		"download_url": base + archiveName(provider, version, platform), "shasums_url": base + "SHA256SUMS", "shasums_signature_url": base + "SHA256SUMS.sig",
		"shasum": hexSum(archive), "signing_keys": map[string]any{"gpg_public_keys": named},
	})
}

func (r *Registry) file(w http.ResponseWriter, req *http.Request, provider, version, name string) {
	all, ok := r.release(provider, version)
	if !ok {
		http.NotFound(w, req)
		return
	}
	var sums strings.Builder
	for _, p := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&sums, "%s  %s\n", hexSum(all[p]), archiveName(provider, version, p))
	}
	switch name {
	case "SHA256SUMS":
		r.send(w, req, []byte(sums.String()))
		return
	case "SHA256SUMS.sig":
		var signature bytes.Buffer
		if err := openpgp.DetachSign(&signature, r.entity, strings.NewReader(sums.String()), nil); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		r.send(w, req, signature.Bytes())
		return
	}
	for p, archive := range all {
		if archiveName(provider, version, p) != name {
			continue
		}
		r.mu.Lock()
		breakOff := r.dropped > 0
		if breakOff {
			r.dropped--
		}
		r.mu.Unlock()
		if breakOff {
			w.Header().Set("Content-Length", fmt.Sprint(len(archive)))
			_, _ = w.Write(archive[:len(archive)/2])
			_ = http.NewResponseController(w).Flush() // or the client sees no answer at all, and asks again by itself
			panic(http.ErrAbortHandler)
		}
		r.send(w, req, archive)
		return
	}
	http.NotFound(w, req)
}

func (r *Registry) mirror(w http.ResponseWriter, req *http.Request, provider, name string) {
	if name == "index.json" {
		versions := map[string]struct{}{}
		r.mu.Lock()
		for v := range r.releases[provider] {
			versions[v] = struct{}{}
		}
		r.mu.Unlock()
		if len(versions) == 0 {
			http.NotFound(w, req)
			return
		}
		r.json(w, req, map[string]any{"versions": versions})
		return
	}
	version, _ := strings.CutSuffix(name, ".json")
	all, ok := r.release(provider, version)
	if !ok {
		http.NotFound(w, req)
		return
	}
	r.mu.Lock()
	bare := r.noSums
	r.mu.Unlock()
	archives := map[string]any{}
	for p, archive := range all {
		entry := map[string]any{"url": "/files/" + provider + "/" + version + "/" + archiveName(provider, version, p)}
		if !bare {
			entry["hashes"] = []string{"zh:" + hexSum(archive)}
		}
		archives[p] = entry
	}
	r.json(w, req, map[string]any{"archives": archives})
}

func (r *Registry) json(w http.ResponseWriter, req *http.Request, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	r.send(w, req, text)
}

func (r *Registry) send(w http.ResponseWriter, req *http.Request, body []byte) {
	r.mu.Lock()
	alter := r.alter
	r.mu.Unlock()
	if alter != nil {
		if body = alter(req.URL.Path, body); body == nil {
			http.Error(w, "altered away", http.StatusServiceUnavailable)
			return
		}
	}
	_, _ = w.Write(body)
}

// File is one entry of an archive.
type File struct {
	Name string
	Mode fs.FileMode
	Body []byte
}

// Zip packs files.
func Zip(files ...File) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	// How small it gets is nothing to a test, and a provider is large.
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	for _, f := range files {
		h := &zip.FileHeader{Name: f.Name, Method: zip.Deflate}
		h.SetMode(f.Mode)
		w, err := z.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(f.Body); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil { // which writes the directory
		return nil, err
	}
	return out.Bytes(), nil
}

// ZipFolder packs the files of an unpacked package.
func ZipFolder(dir string) ([]byte, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []File
	for _, e := range entries {
		body, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		files = append(files, File{e.Name(), 0o755, body})
	}
	return Zip(files...)
}

// Hashes returns the checksums of an archive as lock files have them.
func Hashes(archive []byte) (zh, h1 string, err error) {
	f, err := os.CreateTemp("", "package-*.zip")
	if err != nil {
		return "", "", err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.Write(archive); err != nil {
		return "", "", err
	}
	h1, err = dirhash.HashZip(f.Name(), dirhash.Hash1)
	return "zh:" + hexSum(archive), h1, err
}
