"""The small words of English and French: which language a text is in, and what a question is not about."""

import re

LETTERS = re.compile(r"[^\W\d_]+")
ENGLISH = frozenset(
    LETTERS.findall(
        "the of to and is it you that for are with was be at this have from by not but what we can when your "
        "how why did do does which who if there their has were will i my our any"
    )
)
FRENCH = frozenset(
    LETTERS.findall(
        "le la les des du un une et que qui dans pour sur pas avec au aux ce cette ces il elle nous vous je "
        "se sont plus par ou mais comment pourquoi quand quel quelle quels quelles été être ont depuis où qu "
        "est de en"
    )
)


# What a question is put in, and not what it is about.
ASKING = (
    ENGLISH
    | FRENCH
    | frozenset(
        LETTERS.findall(
            "where whom whose should could would may might must shall am been being had having were they them he she "
            "his her him its me us yours these those there here then than so some such just also please tell know ever "
            "anyone anybody anything someone somebody something on as into onto an a "
            "j m t l d c qu y je tu me te ça ca cela on sa son ses leur leurs notre nos votre vos mon ma mes si ne n "
            "suis es sommes êtes était fait faut peut peux doit dois donc car combien lequel laquelle déjà "
            "quoi dont chez vers lui elles eux ai as a avons avez avait eu sera serait étaient sait sais savez dire "
            "dis dites peuvent pouvez peut-on devons devez quelqu aussi encore"
        )
    )
)
# Words that help to find - people write alike - and whose absence says nothing against a passage.
SMALL = ASKING | frozenset(
    LETTERS.findall(
        "va vont quoi quelqu quand dont lors tout tous toute toutes très aussi alors chez vers entre sans "
        "avons avez ai avait avoir serait sera desquels auquel "
        "a an am us me he she him her his its they them these those whose whom where been being could should would "
        "may might must shall than then so such as or also just about into much many some someone anyone anybody "
        "let got get ever please"
    )
)
# What makes one word of two where English writes it so: fail over, log in, set up.
PARTICLES = frozenset({"in", "on", "off", "up", "out", "over", "down", "back"})
