package providers

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-version"
	svchost "github.com/hashicorp/terraform-svchost"

	"github.com/tidelock/tidelock/internal/errs"
)

// registries are all hosts that speak the provider registry protocol: the one
// that a provider's address names is asked.
type registries struct {
	client *client
	age    time.Duration // of what a host says of its services
	now    func() time.Time

	mu    sync.Mutex
	bases map[svchost.Hostname]discovered
}

type discovered struct {
	base *url.URL
	at   time.Time
}

// The bounds of the files that vouch for a package.
const (
	maxSums      = 1 << 20
	maxSignature = 64 << 10
)

func (r *registries) name() string { return "registry" }

// base asks a host where its registry is.
func (r *registries) base(ctx context.Context, host svchost.Hostname) (*url.URL, error) {
	r.mu.Lock()
	known, ok := r.bases[host]
	r.mu.Unlock()
	if ok && r.now().Sub(known.at) < r.age {
		return known.base, nil
	}
	at := &url.URL{Scheme: "https", Host: host.String(), Path: "/.well-known/terraform.json"}
	var services map[string]json.RawMessage
	err := r.client.document(ctx, at.String(), &services)
	if errors.Is(err, errAbsent) {
		return nil, errs.New(errs.NotFound, "The host %s is no registry of providers: it has no %s.", host.ForDisplay(), at.Path)
	}
	if err != nil {
		return nil, err
	}
	var text string
	if raw, ok := services["providers.v1"]; !ok || json.Unmarshal(raw, &text) != nil {
		return nil, errs.New(errs.NotFound, "The host %s is no registry of providers: its %s names no providers.v1.", host.ForDisplay(), at.Path)
	}
	base, err := at.Parse(text)
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The host %s names an address of its registry that can't be read.", host.ForDisplay())
	}
	if !strings.HasSuffix(base.Path, "/") {
		base.Path += "/"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bases == nil {
		r.bases = map[svchost.Hostname]discovered{}
	}
	r.bases[host] = discovered{base, r.now()}
	return base, nil
}

func (r *registries) versions(ctx context.Context, a Address, platform string) ([]*version.Version, error) {
	base, err := r.base(ctx, a.Hostname)
	if err != nil {
		return nil, err
	}
	var doc struct {
		Versions []struct {
			Version   string   `json:"version"`
			Protocols []string `json:"protocols"`
			Platforms []struct {
				OS   string `json:"os"`
				Arch string `json:"arch"`
			} `json:"platforms"`
		} `json:"versions"`
	}
	if err := r.client.document(ctx, base.JoinPath(a.Namespace, a.Type, "versions").String(), &doc); err != nil {
		return nil, err
	}
	var out []*version.Version
	for _, listed := range doc.Versions {
		v, err := version.NewVersion(listed.Version)
		if err != nil || !speaks(listed.Protocols) {
			continue
		}
		has := len(listed.Platforms) == 0 // it does not say
		for _, p := range listed.Platforms {
			has = has || p.OS+"_"+p.Arch == platform
		}
		if has {
			out = append(out, v)
		}
	}
	return out, nil
}

// speaks reports whether one of a provider's protocols is known to the tools
// that Tidelock works with; a registry may keep them to itself.
func speaks(protocols []string) bool {
	return len(protocols) == 0 || slices.ContainsFunc(protocols, func(p string) bool {
		major, _, _ := strings.Cut(p, ".")
		return major == "5" || major == "6"
	})
}

// download is what a registry says of a package.
type download struct {
	Filename     string `json:"filename"`
	URL          string `json:"download_url"`
	Sum          string `json:"shasum"`
	SumsURL      string `json:"shasums_url"`
	SignatureURL string `json:"shasums_signature_url"`
	Keys         struct {
		GPG []struct {
			Armor string `json:"ascii_armor"`
		} `json:"gpg_public_keys"`
	} `json:"signing_keys"`
}

func (r *registries) offer(ctx context.Context, a Address, v, platform string) (offer, error) {
	base, err := r.base(ctx, a.Hostname)
	if err != nil {
		return offer{}, err
	}
	system, arch, _ := strings.Cut(platform, "_")
	at := base.JoinPath(a.Namespace, a.Type, v, "download", system, arch)
	var d download
	if err := r.client.document(ctx, at.String(), &d); err != nil {
		return offer{}, err
	}
	host := a.Hostname.ForDisplay()
	resolve := func(text string) (string, error) {
		u, err := at.Parse(text)
		if err != nil || text == "" {
			return "", errs.New(errs.Invalid, "The registry %s names an address for %s %s that can't be read.", host, a, v)
		}
		return u.String(), nil
	}
	where, err := resolve(d.URL)
	if err != nil {
		return offer{}, err
	}
	sumsURL, err := resolve(d.SumsURL)
	if err != nil {
		return offer{}, err
	}
	sums, err := r.client.bytes(ctx, sumsURL, maxSums)
	if err != nil {
		return offer{}, missingVouch(err, host, a, v, "checksums")
	}
	o := offer{url: where, from: host}
	if o.signedBy, o.note, err = r.vouch(ctx, a, v, d, sums, resolve); err != nil {
		return offer{}, err
	}
	all := parseSums(sums)
	sum := all[d.Filename]
	if sum == "" || !strings.EqualFold(sum, d.Sum) {
		return offer{}, errs.New(errs.Forbidden, "The registry %s says another checksum of %s %s than its list of checksums has. The package is not used.", host, a, v)
	}
	o.hashes = []string{"zh:" + sum}
	for _, s := range all {
		o.sums = append(o.sums, "zh:"+s)
	}
	slices.Sort(o.sums)
	return o, nil
}

// vouch checks who signed the sums. As in OpenTofu, its own registry alone may
// name no key for a provider.
func (r *registries) vouch(ctx context.Context, a Address, v string, d download, sums []byte, resolve func(string) (string, error)) (signedBy, note string, err error) {
	host := a.Hostname.ForDisplay()
	var keys []string
	for _, k := range d.Keys.GPG {
		keys = append(keys, k.Armor)
	}
	if len(keys) == 0 {
		if a.Hostname != openTofuHost {
			return "", "", errs.New(errs.Forbidden, "The registry %s names no key that signs %s %s. The package is not used.", host, a, v)
		}
		return "", fmt.Sprintf("The registry %s names no key that signs %s %s: only its checksum was verified.", host, a, v), nil
	}
	at, err := resolve(d.SignatureURL)
	if err != nil {
		return "", "", err
	}
	signature, err := r.client.bytes(ctx, at, maxSignature)
	if err != nil {
		return "", "", missingVouch(err, host, a, v, "signature")
	}
	signedBy, err = checkSignature(sums, signature, keys)
	if err != nil {
		return "", "", errs.Wrap(errs.Forbidden, err, "The checksums of %s %s from %s are not signed by a key that the registry names. The package is not used.", a, v, host)
	}
	return signedBy, "", nil
}

func missingVouch(err error, host string, a Address, v, what string) error {
	if errors.Is(err, errAbsent) {
		return errs.New(errs.Forbidden, "The registry %s has no %s of %s %s. The package is not used.", host, what, a, v)
	}
	return err
}

// parseSums reads lines of a SHA-256 in hex, two spaces, and a file's name.
func parseSums(text []byte) map[string]string {
	out := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		sum, name, ok := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		if name = strings.TrimLeft(name, " *"); ok && len(sum) == 64 {
			out[name] = strings.ToLower(sum)
		}
	}
	return out
}
