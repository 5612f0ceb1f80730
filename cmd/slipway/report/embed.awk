# embed.awk - files as C strings: awk -f embed.awk page.html page.css page.js
# page.css becomes  static const char page_css[]. Lines keep their ends.
function name(f) {
        sub(/.*\//, "", f)
        gsub(/[^A-Za-z0-9]/, "_", f)
        return f
}
BEGIN { print "/* Made by embed.awk. */" }
FNR == 1 {
        if (NR > 1)
                print "        ;"
        printf "static const char %s[] =\n", name(FILENAME)
}
{
        gsub(/\\/, "&&")
        gsub(/"/, "\\\"")
        printf "        \"%s\\n\"\n", $0
}
END { print "        ;" }
