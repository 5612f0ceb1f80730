# page.awk - a page of HTML out of a text: "# headings", "* lists", paragraphs, [links](target),
# `code`. Links to other texts lead to their pages. Variable: site, the title of the whole.

function markup(s) {
        gsub(/&/, "\\&amp;", s)
        gsub(/</, "\\&lt;", s)
        while (match(s, /`[^`]*`/))
                s = substr(s, 1, RSTART - 1) "<code>" substr(s, RSTART + 1, RLENGTH - 2) "</code>" \
                        substr(s, RSTART + RLENGTH)
        while (match(s, /\[[^]]*\]\([^)]*\)/)) {
                link = substr(s, RSTART, RLENGTH)
                at = index(link, "](")
                target = substr(link, at + 2, length(link) - at - 2)
                sub(/\.md$/, ".html", target)
                s = substr(s, 1, RSTART - 1) "<a href=\"" target "\">" substr(link, 2, at - 2) "</a>" \
                        substr(s, RSTART + RLENGTH)
        }
        return s
}

function enter(wanted) {
        if (inside != wanted) {
                if (inside != "")
                        print "</" inside ">"
                if (wanted != "")
                        print "<" wanted ">"
        }
        inside = wanted
}

function begin(title) {
        print "<!doctype html>\n<html lang=\"en\">\n<head>\n<title>" title " - " site "</title>\n</head>\n<body>"
        begun = 1
}

!begun { begin(markup(/^# / ? substr($0, 3) : site)) }
/^#+ / {
        level = index($0, " ") - 1
        enter("")
        print "<h" level ">" markup(substr($0, level + 2)) "</h" level ">"
        next
}
/^\* / { enter("ul"); print "<li>" markup(substr($0, 3)) "</li>"; next }
/^$/ { enter(""); next }
{ enter("p"); print markup($0) }
END { enter(""); print "</body>\n</html>" }
