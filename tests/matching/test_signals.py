"""A cry for help, and abuse, in the words people use; and words that only sound like it."""

from __future__ import annotations

import pytest

from services.matching.classify.signals import ADVICE, ALARMS, alarm_in, is_abusive
from tests.matching.given import LEAK


@pytest.mark.parametrize(
    ("text", "alarm"),
    [
        ("楼下有人晕倒了，快来", "medical"),
        ("奶奶叫不醒", "medical"),
        ("My father collapsed and is not breathing", "medical"),
        ("I can't breathe", "medical"),
        ("三楼着火了", "fire"),
        ("there is a gas leak in our kitchen", "fire"),
        ("门口有人持刀", "police"),
        ("我不想活了", "despair"),
        # Where it happens, and what came before, is no reason to let somebody lie there.
        ("小学门口有人晕倒了", "medical"),
        ("有个学生溺水了", "medical"),
        ("上课的时候同学抽搐了", "medical"),
        ("急救培训现场有人晕倒", "medical"),
        ("曾大爷叫不醒了", "medical"),
        ("恐怕是煤气中毒", "medical"),
        ("我妈晕倒了我好怕", "medical"),
        ("我爸上周刚出院现在又晕倒了", "medical"),
        ("a boy in my class collapsed", "medical"),
        ("please come if you can my father collapsed", "medical"),
        ("I'm afraid she is not breathing", "medical"),
        ("灭火器用完了还在着火", "fire"),
        # As people in distress write, who do not choose their words.
        ("有人晕倒", "medical"),
        ("救命！！！", "medical"),
        ("快叫救护车", "medical"),
        ("有人掉河里了", "medical"),
        ("爸爸心脏病犯了", "medical"),
        ("孩子误服了降压药", "medical"),
        ("奶奶从楼梯上摔下去了", "medical"),
        ("宝宝嘴唇发紫", "medical"),
        ("someone has fainted in the lobby", "medical"),
        ("please call an ambulance", "medical"),
        ("my baby isn't breathing", "medical"),
        ("煤气泄露了", "fire"),
        ("厨房着了", "fire"),
        ("楼道里全是烟", "fire"),
        ("孩子被反锁在屋里了", "fire"),
        ("there is smoke everywhere", "fire"),
        ("there's a fire in the building", "fire"),
        ("家里进贼了", "police"),
        ("我老公正在打我", "police"),
        ("someone is trying to break in", "police"),
        ("he is hitting me", "police"),
        ("让我死了吧", "despair"),
        ("I don't want to live anymore", "despair"),
        ("想学急救，万一有人晕倒", None),
        ("去年着火过，想要个灭火器", None),
        ("想听防火讲座", None),
        ("想学有人晕倒了怎么救", None),
        ("社区能不能办个触电急救课", None),
        ("如果电梯困人找谁", None),
        ("我怕老人一个人在家晕倒", None),
        ("上个月晕倒过", None),
        ("热水器点不着火", None),
        ("上周晕倒住院，想找人陪护", None),
        ("what do I do if there is a gas leak", None),
        ("I want to join a course on what to do when somebody is choking", None),
        # Words of distress in another sense.
        ("自行车轮胎没气了", None),
        ("电脑中毒了", None),
        ("手机掉水里了能修吗", None),
        ("我想死我老家的饭了，求搭伙", None),
        ("想死你们了", None),
        ("感谢救命恩人", None),
        ("社区急救培训怎么报名", None),
        ("楼道里全是烟头没人扫", None),
        ("把自己反锁在门外了", None),
        ("中风后遗症，想找人做康复", None),
        ("老公打我电话打不通", None),
        ("活动名额被抢光了", None),
        ("孩子抽风扇坏了", None),
        ("need a ride to the hospital next week", None),
        ("I fell in love with this choir", None),
        (LEAK, None),
        ("", None),
    ],
)
def test_a_cry_for_help_is_told_from_talk_of_it(text, alarm):
    assert alarm_in(text) == alarm


def test_every_alarm_has_a_number_in_both_languages():
    assert set(ADVICE) == set(ALARMS)
    for advice in ADVICE.values():
        assert advice.number in advice.zh and advice.number in advice.en


@pytest.mark.parametrize("text", ["去你妈的", "你们全是饭桶", "一群废物", "滚", "脑残", "SB", "you idiots", "go to hell"])
def test_abuse_is_known_in_the_words_people_use(text):
    assert is_abusive(text)


@pytest.mark.parametrize(
    "text",
    [
        "滚筒洗衣机坏了",
        "操场几点开",
        "废物利用手工课",
        "去你妈妈家",
        "今日你们几点关门",
        "垃圾没人收",
        "妈的病好了",
        "it would be useless for you",
        "is sb there",
    ],
)
def test_what_only_sounds_like_abuse_is_none(text):
    assert not is_abusive(text)


def test_abuse_is_told_from_rough_words():
    assert is_abusive("你们这帮王八蛋") and is_abusive("you bastards")
    assert not is_abusive("我当妈的该咋办") and not is_abusive("他妈妈病了")
