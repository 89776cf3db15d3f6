// SPDX-License-Identifier: Apache-2.0

// Command oracle lets Cilium's own pkg/policy judge case files: it reads cases (JSON lines, format of docs/policy.md) on
// stdin, fills in the verdicts of their flows between pods, and writes them on stdout for `weir policy verify`. Cases whose
// policies Cilium refuses are named on stderr and left out.
//
//	node bench/policy/mix-cases.ts SEED COUNT | (cd bench/policy/oracle && go run .) > mixed.jsonl
//	weir policy verify mixed.jsonl
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/netip"
	"os"
	"strings"

	"github.com/cilium/cilium/pkg/crypto/certificatemanager"
	"github.com/cilium/cilium/pkg/endpoint/regeneration"
	envoypolicy "github.com/cilium/cilium/pkg/envoy/policy"
	"github.com/cilium/cilium/pkg/fqdn/dns"
	"github.com/cilium/cilium/pkg/identity"
	"github.com/cilium/cilium/pkg/identity/identitymanager"
	"github.com/cilium/cilium/pkg/k8s"
	v2 "github.com/cilium/cilium/pkg/k8s/apis/cilium.io/v2"
	slim_networkingv1 "github.com/cilium/cilium/pkg/k8s/slim/k8s/api/networking/v1"
	"github.com/cilium/cilium/pkg/labels"
	"github.com/cilium/cilium/pkg/option"
	"github.com/cilium/cilium/pkg/policy"
	"github.com/cilium/cilium/pkg/policy/api"
	putils "github.com/cilium/cilium/pkg/policy/utils"
	"github.com/cilium/cilium/pkg/types"
	"github.com/cilium/cilium/pkg/u8proto"
	policyv1alpha2 "sigs.k8s.io/network-policy-api/apis/v1alpha2"
	"sigs.k8s.io/yaml"
)

type object = map[string]any
type owner struct {
	id    uint64
	ports types.NamedPortMap
}

func (o *owner) GetID() uint64 { return o.id }
func (o *owner) GetIngressNamedPort(name string, proto u8proto.U8proto) uint16 {
	p, _ := o.ports.GetNamedPort(name, proto)
	return p
}
func (o *owner) PolicyDebug(string, ...any)                  {}
func (o *owner) IsHost() bool                                { return false }
func (o *owner) PreviousMapStateSizes() policy.MapStateSizes { return policy.MapStateSizes{} }
func (o *owner) RegenerateIfAlive(*regeneration.ExternalRegenerationMetadata) <-chan bool {
	ch := make(chan bool)
	close(ch)
	return ch
}

type namedPorts struct{ known types.NamedPortMultiMap }

func (n namedPorts) GetNamedPorts() types.NamedPortMultiMap { return n.known }

type policyCase struct {
	ID         string `json:"id"`
	Config     object `json:"config"`
	Namespaces []struct {
		Name   string
		Labels map[string]string
	} `json:"namespaces"`
	Pods []struct {
		Namespace, Name string
		Labels          map[string]string
		ServiceAccount  string
		Ports           []struct {
			Name     string
			Port     int
			Protocol string
		}
	} `json:"pods"`
	Nodes []struct {
		Name, IP                           string
		Local, KubeApiserver, OutOfCluster bool
	}
	DNS []struct {
		Name string
		IPs  []string
	} `json:"dns"`
	CIDRGroups []struct {
		Name   string
		Labels map[string]string
		CIDRs  []string
	} `json:"cidrGroups"`
	Policies string   `json:"policies"`
	Flows    []object `json:"flows"`
}

// others gives identities to ends of flows that are no pods: nodes and entities have the reserved ones, an address outside has the
// labels of its prefix, of the names that it was looked up as and that policies select, and of the groups that hold it.
type others struct {
	cs    *policyCase
	fqdns []api.FQDNSelector
	known map[string]*identity.Identity
	next  identity.NumericIdentity
}

func (o *others) of(end string) *identity.Identity {
	if id := o.known[end]; id != nil {
		return id
	}
	id := o.make(end)
	o.known[end] = id
	return id
}

func (o *others) make(end string) *identity.Identity {
	reserved := func(names ...string) *identity.Identity {
		l := labels.Labels{}
		for _, n := range names {
			l[n] = labels.NewLabel(n, "", labels.LabelSourceReserved)
		}
		if n := identity.GetReservedID(names[0]); n != identity.IdentityUnknown {
			return identity.NewIdentity(n, l)
		}
		return nil
	}
	if name, ok := strings.CutPrefix(end, "entity:"); ok {
		if name == "kube-apiserver" {
			return reserved(name, "remote-node")
		}
		if name == "host" {
			for _, n := range o.cs.Nodes {
				if n.Local {
					return o.of("ip:" + n.IP)
				}
			}
		}
		return reserved(name)
	}
	text, ok := strings.CutPrefix(end, "ip:")
	if !ok {
		return nil
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return nil
	}
	api1 := false
	for _, n := range o.cs.Nodes {
		if n.IP != text {
			continue
		}
		if n.Local || !n.OutOfCluster {
			names := []string{"remote-node"}
			if n.Local {
				names[0] = "host"
			}
			if n.KubeApiserver {
				names = append(names, "kube-apiserver")
			}
			if n.KubeApiserver && !n.Local {
				names = []string{"kube-apiserver", "remote-node"}
			}
			id := reserved(names...)
			if nodes, _ := o.cs.Config["cidrMatchesNodes"].(bool); nodes && id != nil {
				for k, v := range labels.GetCIDRLabels(netip.PrefixFrom(addr, addr.BitLen())) {
					if v.Source == labels.LabelSourceCIDR {
						id.Labels[k] = v
					}
				}
				if id.ID != identity.ReservedIdentityHost {
					o.next++
					id.ID = identity.IdentityScopeRemoteNode + o.next - identity.IdentityScopeLocal
				}
				id = identity.NewIdentity(id.ID, id.Labels)
			}
			return id
		}
		api1 = n.KubeApiserver
	}
	l := labels.GetCIDRLabels(netip.PrefixFrom(addr, addr.BitLen()))
	add := func(x labels.Label) { l[x.Key] = x }
	if api1 {
		add(labels.NewLabel("kube-apiserver", "", labels.LabelSourceReserved))
	}
	for _, d := range o.cs.DNS {
		for _, ip := range d.IPs {
			if ip != text {
				continue
			}
			for i := range o.fqdns {
				re, err := o.fqdns[i].ToRegex()
				if err == nil && re.MatchString(dns.FQDN(d.Name)) {
					add(o.fqdns[i].IdentityLabel())
				}
			}
		}
	}
	for _, g := range o.cs.CIDRGroups {
		for _, c := range g.CIDRs {
			if p, err := netip.ParsePrefix(c); err == nil && p.Contains(addr) {
				add(api.LabelForCIDRGroupRef(g.Name))
				for k, v := range g.Labels {
					add(labels.NewLabel(k, v, labels.LabelSourceCIDRGroup))
					add(labels.EncodedCIDRGroupLabel(k, v, labels.LabelSourceCIDRGroup))
				}
			}
		}
	}
	o.next++
	return identity.NewIdentity(o.next, l)
}

// judge fills in the verdicts; false when Cilium refuses a policy.
func judge(cs *policyCase, logger *slog.Logger) (ok bool) {
	defer func() {
		if r := recover(); r != nil {
			ok = false
		}
	}()
	b := func(k string, d bool) bool {
		if v, ok := cs.Config[k].(bool); ok {
			return v
		}
		return d
	}
	cluster, _ := cs.Config["clusterName"].(string)
	if cluster == "" {
		cluster = "default"
	}
	api.InitEntities(cluster)
	option.Config.EnableL7Proxy = true
	option.Config.EnableICMPRules = true
	option.Config.EnableNonDefaultDenyPolicies = b("nonDefaultDeny", true)
	option.Config.UnsafeDaemonConfigOption.AllowLocalhost = option.AllowLocalhostPolicy
	if b("allowLocalhost", true) {
		option.Config.UnsafeDaemonConfigOption.AllowLocalhost = option.AllowLocalhostAlways
	}
	mode, _ := cs.Config["policyEnforcement"].(string)
	if mode == "" {
		mode = "default"
	}
	policy.SetPolicyEnabled(mode)
	nsl := map[string]map[string]string{}
	for _, n := range cs.Namespaces {
		nsl[n.Name] = n.Labels
	}
	all := identity.IdentityMap{}
	by := map[string]*identity.Identity{}
	ids := []*identity.Identity{}
	next := identity.NumericIdentity(1000)
	idx := map[string]int{}
	known := types.NewNamedPortMultiMap()
	pm := []types.NamedPortMap{}
	for i, p := range cs.Pods {
		l := labels.Labels{}
		add := func(k, v string) { l[k] = labels.NewLabel(k, v, labels.LabelSourceK8s) }
		for k, v := range p.Labels {
			add(k, v)
		}
		for k, v := range nsl[p.Namespace] {
			add("io.cilium.k8s.namespace.labels."+k, v)
		}
		add("io.kubernetes.pod.namespace", p.Namespace)
		add("io.cilium.k8s.policy.cluster", cluster)
		add("io.cilium.k8s.policy.serviceaccount", p.ServiceAccount)
		key := string(l.SortedList())
		if by[key] == nil {
			by[key] = identity.NewIdentity(next, l)
			all[next] = by[key].LabelArray
			next++
		}
		ids = append(ids, by[key])
		idx[p.Namespace+"/"+p.Name] = i
		m := types.NamedPortMap{}
		for _, q := range p.Ports {
			m.AddPort(q.Name, q.Port, q.Protocol)
		}
		pm = append(pm, m)
		known.Update(by[key].ID, nil, m)
	}
	rest := &others{cs: cs, known: map[string]*identity.Identity{}, next: identity.IdentityScopeLocal}
	option.Config.EnableIPv4, option.Config.EnableIPv6 = b("dualStack", false), b("dualStack", false)
	option.Config.PolicyCIDRMatchMode = nil
	if b("cidrMatchesNodes", false) {
		option.Config.PolicyCIDRMatchMode = []string{"nodes"}
	}
	option.Config.EnableHostFirewall = b("hostFirewall", false)
	for _, doc := range strings.Split(cs.Policies, "\n---\n") {
		var o struct {
			Spec  *api.Rule
			Specs api.Rules
		}
		if yaml.Unmarshal([]byte(doc), &o) == nil {
			for _, rule := range append(o.Specs, o.Spec) {
				if rule != nil {
					rest.fqdns = append(rest.fqdns, fqdnsOf(rule)...)
				}
			}
		}
		rest.fqdns = append(rest.fqdns, clusterFQDNs(logger, cluster, doc)...)
	}
	for _, f := range cs.Flows {
		for _, end := range []string{f["src"].(string), f["dst"].(string)} {
			if _, pod := idx[end]; pod {
				continue
			}
			if id := rest.of(end); id != nil {
				all[id.ID] = id.LabelArray
			}
		}
	}
	mgr := identitymanager.NewIDManager(logger)
	repo := policy.NewPolicyRepository(logger, all, nil, envoypolicy.NewEnvoyL7RulesTranslator(logger, certificatemanager.NewMockSecretManagerNotFound()), mgr, nil)
	repo.SetNamedPortsGetter(namedPorts{known})
	for _, doc := range strings.Split(cs.Policies, "\n---\n") {
		var head struct {
			Kind string `json:"kind"`
		}
		if yaml.Unmarshal([]byte(doc), &head) != nil || head.Kind == "" {
			continue
		}
		switch head.Kind {
		case "NetworkPolicy":
			var o slim_networkingv1.NetworkPolicy
			if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
				return false
			}
			e, err := k8s.ParseNetworkPolicy(logger, cluster, &o)
			if err != nil {
				return false
			}
			repo.MustAddPolicyEntries(e)
		case "ClusterNetworkPolicy":
			var o policyv1alpha2.ClusterNetworkPolicy
			if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
				return false
			}
			e, err := k8s.ParseClusterNetworkPolicy(logger, cluster, &o)
			if err != nil {
				return false
			}
			repo.MustAddPolicyEntries(e)
		case "CiliumNetworkPolicy":
			var o v2.CiliumNetworkPolicy
			if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
				return false
			}
			r, err := o.Parse(logger, cluster)
			if err != nil {
				return false
			}
			repo.MustAddPolicyEntries(putils.RulesToPolicyEntries(r))
		case "CiliumClusterwideNetworkPolicy":
			var o v2.CiliumClusterwideNetworkPolicy
			if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
				return false
			}
			r, err := o.Parse(logger, cluster)
			if err != nil {
				return false
			}
			repo.MustAddPolicyEntries(putils.RulesToPolicyEntries(r))
		}
	}
	subj := identity.IdentityMap{}
	for _, id := range by {
		subj[id.ID] = id.LabelArray
		mgr.Add(id)
	}
	repo.UpdateIdentities(subj, nil)
	eps := make([]*policy.EndpointPolicy, len(ids))
	for i := range ids {
		sp, _, err := repo.ComputeSelectorPolicy(ids[i])
		if err != nil {
			return false
		}
		eps[i] = sp.DistillPolicy(logger, &owner{id: uint64(i), ports: pm[i]}, map[string]uint16{policy.FallbackRedirectID: math.MaxUint16})
		eps[i].Ready()
	}
	protos := map[string]u8proto.U8proto{"TCP": u8proto.TCP, "UDP": u8proto.UDP, "SCTP": u8proto.SCTP, "ICMP": u8proto.ICMP, "ICMPv6": u8proto.ICMPv6}
	out := []object{}
	for _, f := range cs.Flows {
		s, ok1 := idx[f["src"].(string)]
		d, ok2 := idx[f["dst"].(string)]
		port := uint16(f["port"].(float64))
		if port == 0 || (!ok1 && !ok2) {
			continue
		}
		from, to := rest.known[f["src"].(string)], rest.known[f["dst"].(string)]
		if ok1 {
			from = ids[s]
		}
		if ok2 {
			to = ids[d]
		}
		if from == nil || to == nil {
			continue
		}
		if b("hostFirewall", false) && (from.ID == identity.ReservedIdentityHost || to.ID == identity.ReservedIdentityHost) {
			continue // the host's own policy is not computed here
		}
		pr := protos[f["proto"].(string)]
		var eg, in policy.MapStateEntry // the zero entry allows: no policy point there
		if ok1 {
			eg, _, _ = eps[s].Lookup(policy.EgressKey().WithIdentity(to.ID).WithPortProto(pr, port))
		}
		if ok2 {
			in, _, _ = eps[d].Lookup(policy.IngressKey().WithIdentity(from.ID).WithPortProto(pr, port))
		}
		v := func(e policy.MapStateEntry) string {
			if e.IsDeny() {
				return "deny"
			}
			return "allow"
		}
		r := object{"src": f["src"], "dst": f["dst"], "proto": f["proto"], "port": f["port"], "egress": v(eg), "ingress": v(in), "verdict": "deny"}
		if v(eg) == "allow" && v(in) == "allow" {
			r["verdict"] = "allow"
		}
		if ok1 && !eg.IsDeny() && eg.IsRedirectEntry() {
			r["egressL7"] = true
		}
		if ok2 && !in.IsDeny() && in.IsRedirectEntry() {
			r["ingressL7"] = true
		}
		auth := []string{}
		if ok1 && !eg.IsDeny() && eg.AuthRequirement.AuthType() != 0 {
			auth = append(auth, "egress:"+eg.AuthRequirement.AuthType().String())
		}
		if ok2 && !in.IsDeny() && in.AuthRequirement.AuthType() != 0 {
			auth = append(auth, "ingress:"+in.AuthRequirement.AuthType().String())
		}
		if len(auth) > 0 {
			r["auth"] = strings.Join(auth, " ")
		}
		out = append(out, r)
	}
	cs.Flows = out
	return true
}

func fqdnsOf(rule *api.Rule) (out []api.FQDNSelector) {
	for _, e := range rule.Egress {
		out = append(out, e.ToFQDNs...)
	}
	return out
}

// clusterFQDNs are the names of a ClusterNetworkPolicy's `domainNames`, none for another document.
func clusterFQDNs(logger *slog.Logger, cluster, doc string) (out []api.FQDNSelector) {
	var o policyv1alpha2.ClusterNetworkPolicy
	if yaml.Unmarshal([]byte(doc), &o) != nil || o.Kind != "ClusterNetworkPolicy" {
		return nil
	}
	entries, err := k8s.ParseClusterNetworkPolicy(logger, cluster, &o)
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		for _, peer := range entry.L3 {
			if name, ok := peer.GetFQDNSelector(); ok {
				out = append(out, *name)
			}
		}
	}
	return out
}

func main() {
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	sc := bufio.NewScanner(os.Stdin)
	sc.Buffer(make([]byte, 1<<20), 1<<26)
	for sc.Scan() {
		var raw object
		json.Unmarshal(sc.Bytes(), &raw)
		if l, ok := raw["policies"].([]any); ok {
			s := []string{}
			for _, x := range l {
				s = append(s, x.(string))
			}
			raw["policies"] = strings.Join(s, "\n---\n")
		}
		t, _ := json.Marshal(raw)
		var cs policyCase
		if err := json.Unmarshal(t, &cs); err != nil {
			fmt.Fprintln(os.Stderr, err)
			continue
		}
		if judge(&cs, logger) {
			raw["flows"] = cs.Flows
			o, _ := json.Marshal(raw)
			fmt.Println(string(o))
		} else {
			fmt.Fprintln(os.Stderr, "skip", cs.ID)
		}
	}
}
