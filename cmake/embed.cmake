# Run at build time with -DIN=file -DOUT=file.c -DNAME=symbol: the file's bytes as a C array, so that
# pages need no folder beside the program.
file(READ "${IN}" hex HEX)
string(LENGTH "${hex}" digits)
math(EXPR bytes "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," array "${hex}")
string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" array "${array}")
file(WRITE "${OUT}" "#include \"base/str.h\"\nextern const struct sf_str ${NAME};\nstatic const unsigned char bytes[] = {\n${array}0};\nconst struct sf_str ${NAME} = {(const char *)bytes, ${bytes}};\n")
