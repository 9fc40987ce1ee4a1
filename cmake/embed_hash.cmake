# Run at build time with -DIN=file -DOUT=file.c -DNAME=symbol: the file's hash as a Content-Security-Policy
# source, "sha256-…" in base64. The page that has the file's bytes as a script or a style needs it.
file(SHA256 "${IN}" hex)
set(alphabet ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)
set(base64 "")
# 32 bytes: ten groups of three bytes, then two bytes and two bits of nothing.
foreach(at RANGE 0 63 6)
  string(SUBSTRING "${hex}00" ${at} 6 group)
  math(EXPR value "0x${group}")
  foreach(shift 18 12 6 0)
    math(EXPR index "(${value} >> ${shift}) & 63")
    string(SUBSTRING "${alphabet}" ${index} 1 digit)
    string(APPEND base64 "${digit}")
  endforeach()
endforeach()
string(SUBSTRING "${base64}" 0 43 base64)
set(text "sha256-${base64}=")
string(LENGTH "${text}" bytes)
file(WRITE "${OUT}" "#include \"base/str.h\"\nextern const struct sf_str ${NAME};\nconst struct sf_str ${NAME} = {\"${text}\", ${bytes}};\n")
