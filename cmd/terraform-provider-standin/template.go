package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// vars are what a template may speak of: the provider's region and the like,
// and the object's own string attributes.
type vars map[string]string

// expand replaces every {name} of a template:
//
//	{hex8} {hex12} {hex17} {hex32}  random, another one each time
//	{uuid} {digits}                 likewise
//	{ip} {public_ip}                an address made from the object's id
//	{short}                         eight digits made from the object's id
//	{name}                          what vars say; nothing where they don't
func expand(template string, v vars) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(template, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			b.WriteString("{" + rest)
			return b.String()
		}
		b.WriteString(lookup(name, v))
		template = after
	}
}

func lookup(name string, v vars) string {
	switch name {
	case "hex8", "hex12", "hex17", "hex32":
		n, _ := strconv.Atoi(name[3:])
		return randomHex(n)
	case "uuid":
		h := randomHex(32)
		return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
	case "digits":
		n, err := rand.Int(rand.Reader, big.NewInt(9e17))
		if err != nil {
			panic(err) // crypto/rand does not fail on any system that Go supports
		}
		return fmt.Sprintf("%d", n.Int64()+1e17)
	case "ip", "public_ip", "short":
		sum := sha256.Sum256([]byte(v["id"] + v["name"]))
		switch name {
		case "ip":
			return fmt.Sprintf("10.%d.%d.%d", sum[0], sum[1], 1+int(sum[2])%254)
		case "public_ip": // TEST-NET-3: routed nowhere
			return fmt.Sprintf("203.0.113.%d", 1+int(sum[0])%254)
		}
		return hex.EncodeToString(sum[:4])
	}
	return v[name]
}

func randomHex(n int) string {
	b := make([]byte, (n+1)/2)
	rand.Read(b) // never fails: it crashes the program instead
	return hex.EncodeToString(b)[:n]
}

// templateNames lists what a template speaks of, for the tables' own test.
func templateNames(template string) []string {
	var names []string
	for {
		_, rest, found := strings.Cut(template, "{")
		if !found {
			return names
		}
		name, after, _ := strings.Cut(rest, "}")
		names, template = append(names, name), after
	}
}

// parseValue turns the text that a template gave into a value of the field's
// type. Lists are separated by commas; an empty text is an empty list, and
// null for everything else but strings.
func parseValue(f field, typ tftypes.Type, text string) (tftypes.Value, error) {
	switch f.kind {
	case kindString:
		return tftypes.NewValue(typ, text), nil
	case kindInt, kindNumber:
		if text == "" {
			return tftypes.NewValue(typ, nil), nil
		}
		n, ok := new(big.Float).SetString(text)
		if !ok {
			return tftypes.Value{}, fmt.Errorf("%s: %q is not a number", f.name, text)
		}
		return tftypes.NewValue(typ, n), nil
	case kindBool:
		if text == "" {
			return tftypes.NewValue(typ, nil), nil
		}
		b, err := strconv.ParseBool(text)
		if err != nil {
			return tftypes.Value{}, fmt.Errorf("%s: %w", f.name, err)
		}
		return tftypes.NewValue(typ, b), nil
	case kindStringList, kindStringSet:
		elems := []tftypes.Value{}
		for _, s := range strings.Split(text, ",") {
			if s != "" {
				elems = append(elems, tftypes.NewValue(tftypes.String, s))
			}
		}
		return tftypes.NewValue(typ, elems), nil
	case kindStringMap:
		elems := map[string]tftypes.Value{}
		for _, pair := range strings.Split(text, ",") {
			if k, v, ok := strings.Cut(pair, "="); ok {
				elems[k] = tftypes.NewValue(tftypes.String, v)
			}
		}
		return tftypes.NewValue(typ, elems), nil
	case kindObjects:
		return tftypes.NewValue(typ, []tftypes.Value{}), nil
	}
	return tftypes.Value{}, fmt.Errorf("%s: a block cannot come from a template", f.name)
}
