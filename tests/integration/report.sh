#!/usr/bin/env bash
# slipway report in a browser. Catches: pages that do not parse, that let text of a build run,
# load something or stand wider than the window, that lack what they are for, that are of no
# use without scripts; graphs of many steps that take for ever.
#
# TEST_SCREENSHOTS: a directory to leave pictures in.
. "${top_srcdir:?see tests/integration/tap.sh}/tests/integration/tap.sh"
. "$top_srcdir/tests/integration/build-kit.sh"
export SLIPWAY_SUMMARY=off
shots=${TEST_SCREENSHOTS:-$dir}

# ---- Builds to write about
python3 - >"$dir/hostile.txt" <<'END'
evil = ["</script><script>document.title='ran'</script>", "<img src=x onerror=document.title='ran'>",
        "\"onfocus=document.title='ran' autofocus=\"", "</title></style><svg onload=document.title='ran'>",
        "javascript:document.title='ran'", "<!--@steps-->", "\u202eevil\u2066", "x" * 3000, "&lt;b&gt;"]
print("s = scratch")
last = "s"
for i, name in enumerate(evil):
    name = name.replace("\\", "\\\\").replace('"', '\\"')
    print(f'e{i} = mkdir {last} /d{i} 0755 label="{name}"')
    last = f"e{i}"
print(f"z = rm {last} /nowhere label=\"<script>document.title='ran'</script>\"\noutput z")
END
kit_llb "$dir/hostile" <"$dir/hostile.txt"
kit_build --llb "$dir/hostile" -o "type=tar,name=<img src=x onerror=document.title='ran'>,dest=$dir/x.tar" 2>/dev/null
python3 - >"$dir/many.txt" <<'END'
print("s = scratch")
for i in range(250):
    print(f's{i} = mkfile s /f{i} 0644 "{i}"\nd{i} = mkdir s{i} /d{i} 0755')
print("m = merge " + " ".join(f"d{i}" for i in range(250)) + "\noutput m")
END
kit_llb "$dir/many" <"$dir/many.txt"
kit_build --llb "$dir/many"
kit_build --llb "$dir/many"
page() { "$SLIPWAY" report "$1" >"$dir/$2.html"; }
check "a page of a build that failed" page ^2 hostile
check "of 501 steps" page ^1 many
check "of a build that was cached" page latest cached
check "nothing is written to a terminal" eval \
        'script -qec "$SLIPWAY report latest" /dev/null </dev/null 2>&1 | grep -q "not written to a terminal"'
check "of a build that is not there" fails 1 "no build" report nosuch

# ---- Without a browser
small() { [ "$(stat -c %s "$dir/hostile.html")" -lt 120000 ] && [ "$(stat -c %s "$dir/many.html")" -lt 3000000 ]; }
check "they are small" small
parses() { # every tag is closed, ids are there once, links lead somewhere, nothing is loaded
        python3 - "$1" <<'END'
import html.parser, re, sys
class P(html.parser.HTMLParser):
    void = {"meta", "input", "br"}
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.scripts = [], [], [], 0
    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        assert tag not in ("img", "iframe", "object", "embed", "link", "base"), tag
        assert not any(k.startswith("on") or k == "style" for k in a), (tag, a)
        assert "src" not in a, a
        if tag not in self.void: self.open.append(tag)
        if "id" in a: self.ids.append(a["id"])
        if a.get("href", "").startswith("#"): self.links.append(a["href"][1:])
        else: assert a.get("href", "https:").startswith(("https:", "http:")), a
        if "aria-labelledby" in a: self.links.append(a["aria-labelledby"])
        self.scripts += tag == "script"
    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.void: self.open.pop()
    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()
text = open(sys.argv[1], encoding="utf-8").read()
p = P()
p.feed(text)
p.close()
assert not p.open and p.scripts == 1, (p.open, p.scripts)
assert len(p.ids) == len(set(p.ids))
assert set(p.links) <= set(p.ids), set(p.links) - set(p.ids)
assert re.search(r"default-src 'none'; style-src 'sha256-[^']*'; script-src 'sha256-[^']*';", text)
assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f]", text)
END
}
for p in hostile many cached; do check "$p: sound HTML" parses "$dir/$p.html"; done
says_so() { grep -q "$2" "$dir/$1.html"; }
check "why it failed is told" says_so hostile "Why it failed"
check "that all was cached is told" says_so cached "All that can be cached was found in the cache"

# ---- In a browser
if ! command -v chromium >/dev/null; then
        echo "# chromium is not there: the rest is left out"
        finish
        exit
fi
browser() { # ARGS...: headless, nothing of the user's, no network
        HOME=$dir timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars \
                --user-data-dir="$dir/chromium" --host-resolver-rules='MAP * ~NOTFOUND' --virtual-time-budget=3000 "$@" 2>"$dir/err"
}
# A copy with a script of ours that the policy allows and that writes what it found into the body.
probe() {
        python3 - "$dir/$1.html" "$dir/$1-probe.html" <<'END'
import base64, hashlib, sys
text = open(sys.argv[1], encoding="utf-8").read()
before = "window.bad=[];addEventListener('error',e=>bad.push(e.message));addEventListener('securitypolicyviolation',e=>bad.push(e.violatedDirective));"
after = """addEventListener('load',()=>{
const q=s=>document.querySelector(s), all=s=>[...document.querySelectorAll(s)];
const say={title:document.title, bad:bad, wide:document.documentElement.scrollWidth-innerWidth,
 steps:all('details.step').length, open:all('details.step[open]').length, tools:all('.js').filter(e=>!e.hidden).length,
 styled:getComputedStyle(q('.card')).borderRadius, resources:performance.getEntriesByType('resource').length};
q('#query').value='nowhere'; q('#filter').dispatchEvent(new Event('submit',{cancelable:true}));
say.found=all('details.step:not([hidden])').length;
const box=q('#timeline-box'); if(box){const b=q('[data-zoom=timeline-box] [data-by="1"]'); b.click(); b.click();
 say.zoomed=box.scrollWidth>box.clientWidth*1.9;}
const node=q('#graph-box a'); if(node){node.dispatchEvent(new Event('mouseenter')); say.lit=all('.node.on').length;}
location.hash='#s1'; dispatchEvent(new HashChangeEvent('hashchange')); say.jumped=q('#s1').open;
document.body.dataset.say=JSON.stringify(say);});"""
def hashed(s): return "'sha256-" + base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() + "'"
text = text.replace("script-src ", "script-src " + hashed(before) + " " + hashed(after) + " ", 1)
text = text.replace("<title>", "<script>" + before + "</script><title>", 1)
text = text.replace("</body>", "<script>" + after + "</script></body>")
open(sys.argv[2], "w", encoding="utf-8").write(text)
END
}
said() { # PAGE SIZE EXPRESSION of o, what the probe found; the page is loaded once
        local dom=$dir/$1-$2.dom
        [ -s "$dom" ] || browser --window-size="$2" --dump-dom "file://$dir/$1-probe.html" >"$dom"
        python3 - "$dom" "$3" <<'END'
import html, json, re, sys
found = re.search('data-say="([^"]*)"', open(sys.argv[1], encoding="utf-8").read())
assert found, "the page did not load"
o = json.loads(html.unescape(found[1]))
assert eval(sys.argv[2]), o
END
}
for p in hostile many cached; do probe "$p"; done
for at in "hostile 1280,900" "hostile 390,800" "many 1280,900" "cached 390,800"; do
        # shellcheck disable=SC2086
        check "$at: no error, nothing too wide, nothing loaded" said $at \
                "o['bad'] == [] and o['wide'] <= 0 and o['resources'] == 0 and o['styled'] == '10px' and o['tools'] >= 2"
done
check "no text of the build ran" said hostile 1280,900 "o['title'] != 'ran' and 'failed' in o['title']"
check "the step that failed is open, alone" said hostile 1280,900 "o['open'] == 1 and o['steps'] >= 10"
check "search, zoom, graph, links to steps" said hostile 1280,900 "o['found'] == 1 and o['zoomed'] and o['lit'] > 1 and o['jumped']"
check "all 501 steps" said many 1280,900 "o['steps'] == 501 and o['lit'] > 1"
picture() { # PAGE SIZE: it is drawn, and is no empty page
        browser --window-size="$2" --screenshot="$shots/$1-${2%,*}.png" "file://$dir/$1.html" >/dev/null &&
                [ "$(stat -c %s "$shots/$1-${2%,*}.png")" -gt 20000 ]
}
for size in 1280,1400 390,1400; do check "a picture at $size" picture hostile "$size"; done
finish
