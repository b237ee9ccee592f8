# METADATA
# title: Addresses and ports
# description: What the public-ingress rules of the three clouds share.
package tidelock.network

import data.tidelock.security.settings

# public(source) holds for a source that stands for the whole internet, in any
# cloud's word for it. A range wider than any private one is the internet by
# another name: 0.0.0.0/1 with 128.0.0.0/1 is 0.0.0.0/0 in two parts. The
# widest private ranges are 10.0.0.0/8 and fc00::/7.
public(source) if lower(source) in {"*", "any", "internet", "0.0.0.0", "::"}

public(source) if {
	not contains(source, ":")
	_bits(source) < 8
}

public(source) if {
	contains(source, ":")
	_bits(source) < 16
	not regex.match(`(?i)^f[cde][0-9a-f]{0,2}:`, source)
}

_bits(cidr) := to_number(bits) if [_, bits] = split(cidr, "/")

# open_to_all(ports) holds where every port of the range may face the internet.
# A range is {"from": number, "to": number}; one whose ends are not known is not.
open_to_all(ports) if {
	is_number(ports.from)
	is_number(ports.to)
	ports.from <= ports.to
	ports.to - ports.from < count(settings.public_ports)
	every port in numbers.range(ports.from, ports.to) {
		port in settings.public_ports
	}
}

# parse("22") and parse("80-443") give a range; "*" and what is no port give none.
parse(text) := {"from": to_number(text), "to": to_number(text)} if regex.match(`^\d+$`, text)

parse(text) := {"from": to_number(first), "to": to_number(last)} if {
	regex.match(`^\d+\s*-\s*\d+$`, text)
	[first, last] := [trim_space(part) | some part in split(text, "-")]
}

# bearing(protocol) holds for the protocols whose ports mean something, by name
# or by number: a rule on any other is never limited to some ports.
bearing(protocol) if lower(protocol) in {"tcp", "udp", "6", "17"}

# show gives a range as people write it.
show(ports) := sprintf("port %d", [ports.from]) if {
	is_number(ports.from)
	ports.from == ports.to
} else := sprintf("ports %d to %d", [ports.from, ports.to]) if {
	is_number(ports.from)
	is_number(ports.to)
} else := "a port that is not known yet"
