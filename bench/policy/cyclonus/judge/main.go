// SPDX-License-Identifier: Apache-2.0

// Command judge lets cyclonus' pkg/matcher judge NetworkPolicy cases: it reads cases (JSON lines, format of docs/policy.md) on
// stdin, fills in the verdicts of their flows, and writes them on stdout for `weir policy verify`. Cases whose policies cyclonus
// refuses are named on stderr and left out.
//
//	node bench/policy/random-cases.ts network-policies SEED COUNT | (cd bench/policy/cyclonus && go run ./judge) > judged.jsonl
//	weir policy verify judged.jsonl
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	v1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

type policyCase struct {
	ID         string
	Namespaces []struct {
		Name   string
		Labels map[string]string
	}
	Pods []struct {
		Namespace, Name, IP string
		Labels              map[string]string
		Ports               []struct {
			Name     string
			Port     int
			Protocol string
		}
	}
	Policies []string
	Flows    []map[string]any
}

// defaulted is the policy as the API server stores it: policyTypes filled in.
func defaulted(text string) (*networkingv1.NetworkPolicy, error) {
	policy := &networkingv1.NetworkPolicy{}
	if err := yaml.UnmarshalStrict([]byte(text), policy); err != nil {
		return nil, err
	}
	if len(policy.Spec.PolicyTypes) == 0 {
		policy.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
		if len(policy.Spec.Egress) > 0 {
			policy.Spec.PolicyTypes = append(policy.Spec.PolicyTypes, networkingv1.PolicyTypeEgress)
		}
	}
	return policy, nil
}

// selectors hands labels to cyclonus in place of selectors. Its own reading of NotIn and of an empty value differs from the API's
// for a key that is missing, so apimachinery decides which labels a selector takes, and cyclonus sees one label for each.
type selectors struct{ all []labels.Selector }

func (s *selectors) replace(selector *metav1.LabelSelector) error {
	if selector == nil || len(selector.MatchLabels)+len(selector.MatchExpressions) == 0 {
		return nil
	}
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return err
	}
	*selector = metav1.LabelSelector{MatchLabels: map[string]string{fmt.Sprint("selector-", len(s.all)): "yes"}}
	s.all = append(s.all, parsed)
	return nil
}

func (s *selectors) of(given map[string]string) map[string]string {
	out := map[string]string{}
	for i, selector := range s.all {
		if selector.Matches(labels.Set(given)) {
			out[fmt.Sprint("selector-", i)] = "yes"
		}
	}
	return out
}

func (s *selectors) replaceAll(spec *networkingv1.NetworkPolicySpec) error {
	all := []*metav1.LabelSelector{&spec.PodSelector}
	peers := []networkingv1.NetworkPolicyPeer{}
	for _, rule := range spec.Ingress {
		peers = append(peers, rule.From...)
	}
	for _, rule := range spec.Egress {
		peers = append(peers, rule.To...)
	}
	for _, peer := range peers {
		all = append(all, peer.PodSelector, peer.NamespaceSelector)
	}
	for _, selector := range all {
		if err := s.replace(selector); err != nil {
			return err
		}
	}
	return nil
}

func judge(c *policyCase) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	namespaces := map[string]map[string]string{}
	for _, n := range c.Namespaces {
		namespaces[n.Name] = n.Labels
	}
	var policies []*networkingv1.NetworkPolicy
	known := &selectors{}
	for _, text := range c.Policies {
		policy, err := defaulted(text)
		if err != nil {
			return err
		}
		if err := known.replaceAll(&policy.Spec); err != nil {
			return err
		}
		policies = append(policies, policy)
	}
	// Not simplified: Simplify panics for some lists of ports, and is to change no verdict.
	policy := matcher.BuildNetworkPolicies(false, policies)
	peers := map[string]*matcher.TrafficPeer{}
	ports := map[string]string{}
	for _, p := range c.Pods {
		name := p.Namespace + "/" + p.Name
		peers[name] = &matcher.TrafficPeer{IP: p.IP, Internal: &matcher.InternalPeer{
			PodLabels: known.of(p.Labels), NamespaceLabels: known.of(namespaces[p.Namespace]), Namespace: p.Namespace}}
		for _, port := range p.Ports {
			ports[fmt.Sprintf("%s %s %d", name, port.Protocol, port.Port)] = port.Name
		}
	}
	for _, f := range c.Flows {
		side := func(end string) *matcher.TrafficPeer {
			if ip, ok := strings.CutPrefix(end, "ip:"); ok {
				return &matcher.TrafficPeer{IP: ip}
			}
			return peers[end]
		}
		src, dst := side(f["src"].(string)), side(f["dst"].(string))
		proto, port := f["proto"].(string), int(f["port"].(float64))
		r := policy.IsTrafficAllowed(&matcher.Traffic{
			Source: src, Destination: dst, ResolvedPort: port,
			ResolvedPortName: ports[fmt.Sprintf("%s %s %d", f["dst"], proto, port)], Protocol: v1.Protocol(proto),
		})
		word := func(allowed bool) string {
			if allowed {
				return "allow"
			}
			return "deny"
		}
		f["egress"], f["ingress"], f["verdict"] = word(r.Egress.IsAllowed()), word(r.Ingress.IsAllowed()), word(r.IsAllowed())
		delete(f, "egressBy")
		delete(f, "ingressBy")
	}
	return nil
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<26)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		var raw map[string]any
		var c policyCase
		if err := json.Unmarshal(in.Bytes(), &raw); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		if err := judge(&c); err != nil {
			fmt.Fprintln(os.Stderr, "skip", c.ID, err)
			continue
		}
		raw["flows"] = c.Flows
		line, _ := json.Marshal(raw)
		out.Write(line)
		out.WriteByte('\n')
	}
}
