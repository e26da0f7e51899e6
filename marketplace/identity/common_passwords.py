"""The most common passwords, as far as ten characters or more do not rule them out already.

Sources: the published yearly lists of leaked passwords (English, Finnish, Swedish), reduced to those that our other
rules let through. `STEMS` are words that people lengthen with digits and signs, such as salasana2024!.
"""

COMMON = frozenset(
    """
    1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc 1qazxsw23edc q1w2e3r4t5 q1w2e3r4t5y6 zaq12wsxcde3 zaq1xsw2cde3
    qwertyuiop qwertyuiopå asdfghjkl; asdfghjklö zxcvbnm,./ qazwsxedcrfv qweasdzxc123 123qweasdzxc qwerty12345
    1234qwerasdf abcd123456 abcde12345 a123456789 aa12345678 abc1234567 p@ssw0rd123 passw0rd123 pa55word123
    iloveyou12 iloveyouforever iloveyou123 ihateyou123 letmein123 welcome123 welcome2024 changeme123 trustno1234
    football123 baseball123 basketball superman123 batman12345 starwars123 princess123 sunshine123 michael123
    jennifer123 charlie123 whatever123 computer123 internet123 jordan23jordan liverpool123 chocolate123 butterfly
    administrator administrator1 masterpassword mypassword password1234 passwordpassword thisismypassword
    salasanasalasana salasana123 minunsalasana omasalasana hyväsalasana salasanani helsinki2024 perkele123
    perkeleperkele jokeri12345 jääkiekko123 mynona12345 tervetuloa123 kissakoira kissakissa koirakoira
    rakastansinua suomisuomi suomi12345 talvisota1939 mansikka123 mustikka123 aurinko123 kesäloma2024
    lösenord123 lösenordlösenord mittlösenord hejhejhej123 hejsan12345 sommar2024! sverige123 hammarby1897
    correcthorsebatterystaple
    """.split()
) | {"correct horse battery staple"}

STEMS = frozenset(
    """
    password passwort passw0rd p@ssword p@ssw0rd salasana salasanani lösenord losenord lösen qwerty qwertyuiop asdfgh
    asdfghjkl zxcvbn zxcvbnm abc abcd abcde abcdef welcome letmein iloveyou admin administrator root guest test testi
    testing demo login master secret monkey dragon football jääkiekko superman batman princess sunshine shadow
    tervetuloa perkele saatana helsinki helsingfors espoo esbo vantaa vanda tampere tammerfors turku åbo oulu suomi
    finland sverige kesä sommar summer talvi vinter winter syksy höst autumn kevät vår spring tilaa
    """.split()
)
